import Timeline

/// Told what a poller does, for metrics, progress and benchmarks. Called on the engine's own threads: be quick.
public protocol PollerObserver: Sendable {
    /// A check starts, this long after its row fell due.
    func checkStarted(watch: String, lane: String, lateness: Duration)
    /// A check was settled (or found overtaken) and took this long from its start to its conclusion.
    func checkSettled(watch: String, lane: String, verdict: Verdict, duration: Duration)
    /// A lane was paused (with the reason) or runs again (nil).
    func laneChanged(watch: String, lane: String, pause: LanePause?)
    /// A round with the store took this long, and brought and wrote so many rows.
    func roundFinished(watch: String, claimed: Int, settled: Int, duration: Duration)
    /// The number of checks under way.
    func inFlight(watch: String, count: Int)
}
