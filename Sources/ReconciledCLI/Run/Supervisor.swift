import Logging
import UnixSignals

/// Runs `reconciled run` until a signal ends it, and goes over to each configuration that SIGHUP brings.
///
/// A new configuration takes over the port, and from that moment its pollers claim; what those of the old one have under
/// check they finish and settle beside them, within their grace: leases and tokens keep them apart as they do pollers of
/// two machines. For so long more checks may be under way than a concurrency allows, by those of the old configuration. No
/// third one begins before they have ended, or their grace is over and their rows were handed back.
///
/// A configuration whose port or pollers fail ends the process, as at a start; what runs is finished first. What is done
/// when is `RunState`'s to decide.
struct Supervisor: Sendable {
    /// The pollers' grace and some time to hand back: what is left then ignores its end.
    private static let leavingMax = Duration.seconds(35)

    /// A private server's; it goes before the configuration's.
    let embeddedURL: String?
    let migrates: Bool
    let logger: Logger
    let reload: @Sendable () throws -> Configuration

    /// A configuration and the address of its database.
    private struct Target: Sendable {
        var configuration: Configuration
        var url: String
    }

    private struct Report: Sendable {
        var event: RunState.Event
        /// What is to take over, of a reload.
        var target: Target?
        /// Why something ended.
        var failure: (any Error)?

        /// Whose pollers it is about.
        var generation: Int? {
            switch event {
            case .pollersEnded(let number, _), .late(let number): number
            default: nil
            }
        }
    }

    private typealias Inbox = AsyncStream<Report>.Continuation

    private struct End: Sendable {
        /// To be closed: the current one, and those whose pollers were still finishing.
        var processes: [PollerProcess]
        var failure: (any Error)?
    }

    func run(_ configuration: Configuration) async throws {
        let first = try target(configuration)
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        let (reports, inbox) = AsyncStream.makeStream(of: Report.self)
        let end = await withDiscardingTaskGroup(returning: End.self) { group in
            group.addTask { await obey(signals, inbox) }
            let end = await oversee(first, reports, inbox, in: &group)
            group.cancelAll()
            return end
        }
        var rest = end.processes
        while let process = rest.popLast() { await process.close(leaving: rest) }
        if let failure = end.failure, !(failure is CancellationError) { throw failure }
    }

    private func target(_ configuration: Configuration) throws -> Target {
        guard let url = embeddedURL ?? configuration.database.url?.value else { throw DatabaseConfiguration.missing }
        return Target(configuration: configuration, url: url)
    }

    // MARK: signals

    private func obey(_ signals: UnixSignalsSequence, _ inbox: Inbox) async {
        var isStopping = false
        for await signal in signals {
            if signal == .sighup {
                if !isStopping { readAgain(inbox) }
            } else if isStopping {
                logger.notice("stopping at once", metadata: ["signal": "\(signal)"])
                inbox.yield(Report(event: .leave))
            } else {
                isStopping = true
                logger.notice("stopping: finishing what runs", metadata: ["signal": "\(signal)"])
                inbox.yield(Report(event: .stop))
            }
        }
    }

    private func readAgain(_ inbox: Inbox) {
        do {
            let next = try target(reload())
            logger.notice("the configuration was read again")
            inbox.yield(Report(event: .reload, target: next))
        } catch {
            logger.error("the new configuration is wrong; the old one stays", metadata: ["error": "\(error)"])
        }
    }

    // MARK: configurations

    /// Returns when all has ended, or as soon as the rest is to be cancelled.
    private func oversee(
        _ first: Target, _ reports: AsyncStream<Report>, _ inbox: Inbox, in group: inout DiscardingTaskGroup
    ) async -> End {
        var state = RunState()
        var next: Target?
        var failure: (any Error)?
        var current = begin(first, as: state.current, replacing: nil, inbox, in: &group)
        var leaving: [Generation] = []
        overseeing: for await report in reports {
            let wasStopping = state.isStopping
            let isOfEarlier = leaving.contains { $0.number == report.generation }
            let actions = state.handle(report.event)
            next = report.target ?? next
            if let error = report.failure {
                if isOfEarlier {
                    // Its rows were handed back, or are left to their leases: those who poll now take them.
                    logger.error("pollers of an earlier configuration failed", metadata: ["error": "\(error)"])
                } else {
                    failure = failure ?? error
                    if !wasStopping {
                        logger.error("stopping: finishing what runs", metadata: ["error": "\(error)"])
                    }
                }
            }
            if report.event == .reload, state.isWaiting {
                logger.notice("the new configuration waits for checks of the one before the last")
            }
            if case .late = report.event, isOfEarlier {
                logger.warning("checks of an earlier configuration ignore their end; their rows were handed back")
            }
            for action in actions {
                switch action {
                case .finishPollers: await current.finishPollers()
                case .finishFront: await current.finishFront()
                case .begin:
                    guard let target = next else { preconditionFailure("no configuration was read") }
                    leaving.append(current)
                    tellWhenLate(current.number, inbox, in: &group)
                    current = begin(target, as: state.current, replacing: current.process, inbox, in: &group)
                case .close(let number):
                    guard let index = leaving.firstIndex(where: { $0.number == number }) else { break }
                    let ended = leaving.remove(at: index).process
                    let rest = ([current] + leaving).map(\.process)
                    group.addTask { await ended.close(leaving: rest) }
                case .end: break overseeing
                }
            }
        }
        return End(processes: ([current] + leaving).map(\.process), failure: failure)
    }

    private func begin(
        _ target: Target, as number: Int, replacing predecessor: PollerProcess?, _ inbox: Inbox,
        in group: inout DiscardingTaskGroup
    ) -> Generation {
        let process = PollerProcess(
            configuration: target.configuration, url: target.url, migrates: migrates, replacing: predecessor,
            logger: logger)
        let generation = Generation(number, process)
        generation.start(in: &group) { event, failure in inbox.yield(Report(event: event, failure: failure)) }
        return generation
    }

    private func tellWhenLate(_ number: Int, _ inbox: Inbox, in group: inout DiscardingTaskGroup) {
        group.addTask {
            do { try await Task.sleep(for: Self.leavingMax) } catch { return }
            inbox.yield(Report(event: .late(number)))
        }
    }
}
