import Histogram
import Reconciling
import Synchronization
import Timeline

/// Counts what a poller does in one measurement.
final class BenchObserver: PollerObserver {
    struct Counts {
        var settled = 0
        var inFlight = 0
        var inFlightMax = 0
        var rounds = 0
        /// Microseconds.
        var lateness = Histogram<UInt64>(highestTrackableValue: 3_600_000_000, numberOfSignificantValueDigits: .three)
    }

    private let counts = Mutex(Counts())

    var snapshot: Counts { counts.withLock { $0 } }

    /// Lateness counts from here on.
    func resetLateness() { counts.withLock { $0.lateness.reset() } }

    func checkStarted(watch: String, lane: String, lateness: Duration) {
        let microseconds = UInt64(max(0, min(lateness.wholeMicroseconds, 3_600_000_000)))
        counts.withLock { _ = $0.lateness.record(microseconds) }
    }

    func checkSettled(watch: String, lane: String, verdict: Verdict, duration: Duration) {
        counts.withLock { $0.settled += 1 }
    }

    func laneChanged(watch: String, lane: String, pause: LanePause?) {}

    func roundFinished(watch: String, claimed: Int, settled: Int, duration: Duration) {
        counts.withLock { $0.rounds += 1 }
    }

    func inFlight(watch: String, count: Int) {
        counts.withLock {
            $0.inFlight = count
            $0.inFlightMax = max($0.inFlightMax, count)
        }
    }
}
