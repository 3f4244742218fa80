import Console
import Logging
import Postgres
import PostgresStore
import Synchronization

/// Notes what this process's pollers did, for the charts of all consoles.
///
/// Of a watch that rests nothing is written, and only now and then is it asked whether something is due: an idle process
/// keeps to its query a second. One with a backlog does not rest, also while nothing of it is checked.
final class Sampler: Sendable {
    static let interval = Duration.seconds(15)
    private static let idleTicks = 4

    private struct State {
        var totals: [String: EngineMetrics.Totals] = [:]
        /// How many rows were due when it was last asked; nil for a watch that was not asked yet.
        var due: [String: Int64] = [:]
        var tick = 0
    }

    private let pool: PostgresPool
    private let watches: [any ServedWatch]
    private let metrics: EngineMetrics
    private let process: String
    private let logger: Logger
    private let state: Mutex<State>

    init(
        pool: PostgresPool, watches: [any ServedWatch], metrics: EngineMetrics, process: String, logger: Logger
    ) {
        self.pool = pool
        self.watches = watches
        self.metrics = metrics
        self.process = process
        self.logger = logger
        // Counters outlive a reload, and what they came to before it was noted then, but for its last moments.
        let totals = watches.map { ($0.name, metrics.totals(watch: $0.name)) }
        state = Mutex(State(totals: Dictionary(uniqueKeysWithValues: totals)))
    }

    func run() async {
        do {
            var samples: [Samples.Sample] = []
            var noted: [String: EngineMetrics.Totals] = [:]
            var backlogs: [String: Int64] = [:]
            let tick = state.withLock { state in
                state.tick += 1
                return state.tick
            }
            for watch in watches {
                let totals = metrics.totals(watch: watch.name)
                let (earlier, dueBefore) = state.withLock { ($0.totals[watch.name], $0.due[watch.name]) }
                let latest = totals.since(earlier ?? .init())
                guard latest.checks > 0 || dueBefore != 0 || tick % Self.idleTicks == 0 else { continue }
                let due = try await type(of: watch).overview(pool)
                    .lanes(watch.lanes.map(\.name)).reduce(0) { $0 + $1.due.count }
                noted[watch.name] = totals
                backlogs[watch.name] = due
                // That a backlog is gone is noted once.
                guard latest.checks > 0 || due > 0 || dueBefore ?? 0 > 0 else { continue }
                samples.append(
                    Samples.Sample(
                        watch: watch.name, checks: latest.checks, failed: latest.failed, lateness: latest.lateness,
                        due: due))
            }
            try await Samples(pool: pool).add(samples, poller: process)
            // What the database did not take comes with the next sample.
            state.withLock { [noted, backlogs] state in
                state.totals.merge(noted) { _, new in new }
                state.due.merge(backlogs) { _, new in new }
            }
        } catch {
            logger.debug("no sample was written", metadata: ["error": "\(error)"])
        }
    }
}
