import Logging
import ServiceLifecycle
import UnixSignals

/// Runs `reconciled run` until a signal ends it, and goes over to each configuration that SIGHUP brings.
///
/// A new configuration takes over the port, and from that moment its pollers claim; what those of the old one have under
/// check they finish and settle beside them, within their grace: leases and tokens keep them apart as they do pollers of
/// two machines. For so long more checks may be under way than a concurrency allows, by those of the old configuration. No
/// third one begins before they have ended, or their grace is over and their rows were handed back.
///
/// A configuration whose port or pollers fail ends the process, as at a start; what runs is finished first.
struct Supervisor: Sendable {
    /// The pollers' grace and some time to hand back: what is left then ignores its end.
    private static let leavingMax = Duration.seconds(35)

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
        var rest = end.processes
        while let process = rest.popLast() { await process.close(leaving: rest) }
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
        var leaving: [Generation] = []
        var next: RunTarget?
        var isStopping = false
        var failure: (any Error)?
        current.start(inbox, in: &group)
        events: for await event in events {
            switch event {
            case .leave: break events
            case .stop:
                isStopping = true
                await current.pollers.triggerGracefulShutdown()
            case .reload(let target):
                next = target
                if !leaving.allSatisfy(\.isLate) {
                    logger.notice("the new configuration waits for checks of the one before the last")
                }
            case .frontEnded(let error):
                current.isFrontOver = true
                failure = failure ?? error
                guard let target = next, !isStopping, failure == nil else { break }
                next = nil
                await current.pollers.triggerGracefulShutdown()
                tell(inbox, whenLate: current, in: &group)
                leaving.append(current)
                current = Generation(current.number + 1, process(target, replacing: current.process))
                current.start(inbox, in: &group)
            case .late(let number):
                guard let index = leaving.firstIndex(where: { $0.number == number }) else { break }
                leaving[index].isLate = true
                logger.warning("checks of an earlier configuration ignore their end; their rows were handed back")
            case .pollersEnded(current.number, let error):
                current.arePollersOver = true
                failure = failure ?? error
            case .pollersEnded(let number, let error):
                guard let index = leaving.firstIndex(where: { $0.number == number }) else { break }
                let ended = leaving.remove(at: index).process
                if let error {
                    // Its rows were handed back, or are left to their leases: those who poll now take them.
                    logger.error("pollers of an earlier configuration failed", metadata: ["error": "\(error)"])
                }
                let rest = [current.process] + leaving.map(\.process)
                group.addTask { await ended.close(leaving: rest) }
            }
            if let failure, !isStopping {
                isStopping = true
                logger.error("stopping: finishing what runs", metadata: ["error": "\(failure)"])
                await current.pollers.triggerGracefulShutdown()
            }
            if current.arePollersOver, leaving.isEmpty {
                if current.isFrontOver { break events }
                // Last of all: a probe is answered, and metrics are served, until the rows are written.
                await current.front.triggerGracefulShutdown()
            } else if next != nil, !isStopping, leaving.allSatisfy(\.isLate) {
                await current.front.triggerGracefulShutdown()
            }
        }
        return RunEnd(processes: [current.process] + leaving.map(\.process), failure: failure)
    }

    private func tell(
        _ inbox: AsyncStream<RunEvent>.Continuation, whenLate leaving: Generation, in group: inout DiscardingTaskGroup
    ) {
        let number = leaving.number
        group.addTask {
            do { try await Task.sleep(for: Self.leavingMax) } catch { return }
            inbox.yield(.late(number))
        }
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
    /// A configuration's pollers should have ended by now.
    case late(Int)
}

private struct RunEnd: Sendable {
    /// To be closed: the current one, then those whose pollers were still finishing.
    var processes: [PollerProcess]
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
    /// It is leaving, and its checks do not end.
    var isLate = false

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
