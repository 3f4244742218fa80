import Logging
import ServiceLifecycle
import UnixSignals

/// Runs `reconciled run` until a signal ends it, and goes over to each configuration that SIGHUP brings.
///
/// A new configuration takes over the port, and from that moment its pollers claim; what those of the old one have under
/// check they finish and settle beside them, within their grace: leases and tokens keep them apart as they do pollers of
/// two machines. For so long more checks may be under way than a concurrency allows, by those of the old configuration. No
/// third one begins before they have ended.
struct Supervisor: Sendable {
    /// A private server's; it goes before the configuration's.
    let embeddedURL: String?
    let migrates: Bool
    let logger: Logger
    let reload: @Sendable () throws -> Configuration

    func run(_ configuration: Configuration) async throws {
        let first = try target(configuration)
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        let (events, inbox) = AsyncStream.makeStream(of: RunEvent.self)
        let end = await withDiscardingTaskGroup(returning: RunEnd.self) { group in
            group.addTask { await obey(signals, inbox) }
            let end = await oversee(first, events, inbox, in: &group)
            group.cancelAll()
            return end
        }
        if let leaving = end.leaving { await leaving.close(leaving: end.current) }
        await end.current.close()
        if let failure = end.failure, !(failure is CancellationError) { throw failure }
    }

    private func target(_ configuration: Configuration) throws -> RunTarget {
        guard let url = embeddedURL ?? configuration.database.url?.value else { throw DatabaseConfiguration.missing }
        return RunTarget(configuration: configuration, url: url)
    }

    // MARK: signals

    private func obey(_ signals: UnixSignalsSequence, _ inbox: AsyncStream<RunEvent>.Continuation) async {
        var isStopping = false
        for await signal in signals {
            if signal == .sighup {
                if !isStopping { readAgain(inbox) }
            } else if isStopping {
                logger.notice("stopping at once", metadata: ["signal": "\(signal)"])
                inbox.yield(.leave)
            } else {
                isStopping = true
                logger.notice("stopping: finishing what runs", metadata: ["signal": "\(signal)"])
                inbox.yield(.stop)
            }
        }
    }

    private func readAgain(_ inbox: AsyncStream<RunEvent>.Continuation) {
        do {
            let next = try target(reload())
            logger.notice("the configuration was read again")
            inbox.yield(.reload(next))
        } catch {
            logger.error("the new configuration is wrong; the old one stays", metadata: ["error": "\(error)"])
        }
    }

    // MARK: configurations

    /// Returns when all has ended, or as soon as the rest is to be cancelled.
    private func oversee(
        _ first: RunTarget, _ events: AsyncStream<RunEvent>, _ inbox: AsyncStream<RunEvent>.Continuation,
        in group: inout DiscardingTaskGroup
    ) async -> RunEnd {
        var current = Generation(1, process(first, replacing: nil))
        var leaving: Generation?
        var next: RunTarget?
        var isStopping = false
        current.start(inbox, in: &group)
        for await event in events {
            switch event {
            case .leave:
                return RunEnd(current: current.process, leaving: leaving?.process)
            case .stop:
                isStopping = true
                await current.pollers.triggerGracefulShutdown()
            case .reload(let target):
                next = target
                if leaving != nil { logger.notice("the new configuration waits for checks of the one before the last") }
            case .frontEnded(let failure?), .pollersEnded(_, let failure?):
                return RunEnd(current: current.process, leaving: leaving?.process, failure: failure)
            case .frontEnded(nil):
                current.isFrontOver = true
                guard let target = next, !isStopping else { break }
                next = nil
                await current.pollers.triggerGracefulShutdown()
                leaving = current
                current = Generation(current.number + 1, process(target, replacing: current.process))
                current.start(inbox, in: &group)
            case .pollersEnded(let number, nil):
                if number == current.number {
                    current.arePollersOver = true
                    // Last of all: a probe is answered, and metrics are served, until the rows are written.
                    await current.front.triggerGracefulShutdown()
                } else if let ended = leaving {
                    leaving = nil
                    await ended.process.close(leaving: current.process)
                }
            }
            if current.isFrontOver, current.arePollersOver, leaving == nil { break }
            if next != nil, !isStopping, leaving == nil { await current.front.triggerGracefulShutdown() }
        }
        return RunEnd(current: current.process, leaving: leaving?.process)
    }

    private func process(_ target: RunTarget, replacing predecessor: PollerProcess?) -> PollerProcess {
        PollerProcess(
            configuration: target.configuration, url: target.url, migrates: migrates, replacing: predecessor,
            logger: logger)
    }
}

/// A configuration and the address of its database.
private struct RunTarget: Sendable {
    var configuration: Configuration
    var url: String
}

private enum RunEvent: Sendable {
    case reload(RunTarget)
    /// Finish what runs.
    case stop
    /// Do not.
    case leave
    /// The current configuration's; only its front is ever running.
    case frontEnded((any Error)?)
    case pollersEnded(Int, (any Error)?)
}

private struct RunEnd: Sendable {
    var current: PollerProcess
    /// Whose pollers were still finishing.
    var leaving: PollerProcess?
    var failure: (any Error)?
}

/// The services of the process under one of its configurations.
private struct Generation: Sendable {
    let number: Int
    let process: PollerProcess
    let front: ServiceGroup
    let pollers: ServiceGroup
    var isFrontOver = false
    var arePollersOver = false

    init(_ number: Int, _ process: PollerProcess) {
        self.number = number
        self.process = process
        front = ServiceGroup(services: process.front, logger: process.quietLogger)
        pollers = ServiceGroup(services: process.pollers, logger: process.quietLogger)
    }

    func start(_ inbox: AsyncStream<RunEvent>.Continuation, in group: inout DiscardingTaskGroup) {
        let (number, front, pollers) = (number, front, pollers)
        group.addTask {
            let failure = await Self.failure(of: front)
            inbox.yield(.frontEnded(failure))
        }
        group.addTask {
            let failure = await Self.failure(of: pollers)
            inbox.yield(.pollersEnded(number, failure))
        }
    }

    private static func failure(of group: ServiceGroup) async -> (any Error)? {
        do { try await group.run() } catch { return error }
        return nil
    }
}
