import Reconciling
import Synchronization
import Timeline

/// What the pollers of this process do, as metrics, and as a sign of life for `readiness`.
public final class EngineMetrics: PollerObserver {
    static let secondsBounds: [Double] = [
        0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600,
    ]

    private struct LaneSeries {
        var lateness: HistogramCell
        var duration: HistogramCell
        var verdicts: [Verdict: CounterCell]
        var overtaken: CounterCell
    }

    private struct WatchSeries {
        var inFlight: GaugeCell
        var roundDuration: HistogramCell
        var claimed: CounterCell
        var settled: CounterCell
    }

    private struct LaneKey: Hashable {
        var watch: String
        var lane: String
    }

    /// Looked up for every check: the registry would sort labels and hash texts each time.
    private struct Series {
        var lanes: [LaneKey: LaneSeries] = [:]
        var watches: [String: WatchSeries] = [:]
        /// Checks under way, as the watch's poller told last.
        var inFlight: [String: Int] = [:]
    }

    private let registry: MetricsRegistry
    private let readiness: Readiness?
    private let series = Mutex(Series())

    public init(registry: MetricsRegistry, readiness: Readiness? = nil) {
        self.registry = registry
        self.readiness = readiness
    }

    public func checkStarted(watch: String, lane: String, lateness: Duration) {
        // A look-ahead may start a check early by the timer's own fault; that is not late.
        laneSeries(watch, lane).lateness.observe(max(0, lateness.inSeconds))
    }

    public func checkSettled(watch: String, lane: String, verdict: Verdict, duration: Duration) {
        let series = laneSeries(watch, lane)
        series.duration.observe(duration.inSeconds)
        series.verdicts[verdict]?.increment()
        if verdict == .overtaken { series.overtaken.increment() }
    }

    public func laneChanged(watch: String, lane: String, pause: LanePause?) {
        setLanePaused(lane, pause != nil)
    }

    public func roundFinished(watch: String, claimed: Int, settled: Int, duration: Duration) {
        let series = watchSeries(watch)
        series.roundDuration.observe(duration.inSeconds)
        series.claimed.increment(by: Double(claimed))
        series.settled.increment(by: Double(settled))
        readiness?.roundFinished(watch: watch)
    }

    public func inFlight(watch: String, count: Int) {
        let cell = watchSeries(watch).inFlight
        let change = series.withLock { count - ($0.inFlight.updateValue(count, forKey: watch) ?? 0) }
        // After a reload two pollers add up: one finishes what the other does not know of.
        if change != 0 { cell.add(Double(change)) }
    }

    /// What the watch's checks came to since this process began.
    public struct Totals: Hashable, Sendable {
        public var checks: Int64 = 0
        public var failed: Int64 = 0
        /// How late they began, by `LatenessHistogram`'s bounds.
        public var lateness = [Int64](repeating: 0, count: EngineMetrics.secondsBounds.count + 1)

        public init() {}

        /// What came since `earlier`.
        public func since(_ earlier: Totals) -> Totals {
            var difference = self
            difference.checks -= earlier.checks
            difference.failed -= earlier.failed
            for index in difference.lateness.indices { difference.lateness[index] -= earlier.lateness[index] }
            return difference
        }
    }

    public func totals(watch: String) -> Totals {
        let lanes = series.withLock { series in series.lanes.filter { $0.key.watch == watch }.map(\.value) }
        var totals = Totals()
        for lane in lanes {
            for (verdict, cell) in lane.verdicts {
                totals.checks += Int64(cell.value)
                if verdict == .failed { totals.failed += Int64(cell.value) }
            }
            for (index, count) in lane.lateness.snapshot.buckets.enumerated() { totals.lateness[index] += count }
        }
        return totals
    }

    /// Makes the lanes' series stand there before anything happened: a missing series and a zero are two things.
    public func announce(watch: String, lanes: [String]) {
        _ = watchSeries(watch)
        for lane in lanes {
            _ = laneSeries(watch, lane)
            setLanePaused(lane, false)
        }
    }

    private func setLanePaused(_ lane: String, _ isPaused: Bool) {
        registry.gauge(
            "reconciled_lane_paused", help: "1 while the lane may not run.", labels: [("lane", lane)]
        ).set(isPaused ? 1 : 0)
    }

    private func laneSeries(_ watch: String, _ lane: String) -> LaneSeries {
        let key = LaneKey(watch: watch, lane: lane)
        return series.withLock { series in
            if let found = series.lanes[key] { return found }
            let made = makeLaneSeries(labels: [("watch", watch), ("lane", lane)])
            if series.lanes.count < MetricsRegistry.seriesMax { series.lanes[key] = made }
            return made
        }
    }

    private func makeLaneSeries(labels: [(String, String)]) -> LaneSeries {
        var verdicts: [Verdict: CounterCell] = [:]
        for verdict in Verdict.allCases {
            verdicts[verdict] = registry.counter(
                "reconciled_checks_total", help: "Checks that were settled, by their verdict.",
                labels: labels + [("verdict", verdict.rawValue)])
        }
        return LaneSeries(
            lateness: registry.histogram(
                "reconciled_lateness_seconds", help: "How long after its row fell due a check started.",
                bounds: Self.secondsBounds, labels: labels),
            duration: registry.histogram(
                "reconciled_check_duration_seconds", help: "How long checks took.", bounds: Self.secondsBounds,
                labels: labels),
            verdicts: verdicts,
            overtaken: registry.counter(
                "reconciled_overtaken_total", help: "Checks whose row someone else changed meanwhile; not overwritten.",
                labels: labels))
    }

    private func watchSeries(_ watch: String) -> WatchSeries {
        series.withLock { series in
            if let found = series.watches[watch] { return found }
            let made = makeWatchSeries(labels: [("watch", watch)])
            if series.watches.count < MetricsRegistry.seriesMax { series.watches[watch] = made }
            return made
        }
    }

    private func makeWatchSeries(labels: [(String, String)]) -> WatchSeries {
        WatchSeries(
            inFlight: registry.gauge("reconciled_checks_in_flight", help: "Checks under way.", labels: labels),
            roundDuration: registry.histogram(
                "reconciled_round_duration_seconds", help: "How long rounds with the database took.",
                bounds: Self.secondsBounds, labels: labels),
            claimed: registry.counter("reconciled_claimed_rows_total", help: "Rows that were claimed.", labels: labels),
            settled: registry.counter("reconciled_settled_rows_total", help: "Rows that were settled.", labels: labels))
    }
}
