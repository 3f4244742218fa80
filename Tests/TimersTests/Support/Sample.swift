import Timeline
import Timers

enum Sample {
    static let anchor = Timestamp("2026-11-23T12:00:00Z")!

    /// So long after the anchor.
    static func at(_ seconds: Double) -> Timestamp { anchor + .microseconds(Int64(seconds * 1_000_000)) }

    /// A timer of ten seconds.
    static func timer(
        every: Duration = .seconds(10), catchUp: Timer.CatchUp = .skip, runCount: Int64 = 0, maxRuns: Int64? = nil,
        endsAt: Timestamp? = nil, status: String = "active"
    ) -> Timer {
        Timer(
            id: "t", grid: TimerGrid(anchor: anchor, every: every), call: TimerCall(url: "http://127.0.0.1/"),
            catchUp: catchUp, runCount: runCount, maxRuns: maxRuns, endsAt: endsAt, status: status)
    }
}
