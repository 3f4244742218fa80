import Reconciling
import Timeline

/// A row of `reconciled.timers` as its claim read it.
public struct Timer: Row, Hashable {
    public var id: String
    public var lane: String
    public var grid: TimerGrid
    public var call: TimerCall
    public var catchUp: CatchUp
    /// Runs that are over.
    public var runCount: Int64
    public var maxRuns: Int64?
    /// The last instant that may still run.
    public var endsAt: Timestamp?
    /// `active`, `paused`, `finished`, `review`; text, for a mapped table may hold others.
    public var status: String

    public init(
        id: String, lane: String = "timers", grid: TimerGrid, call: TimerCall, catchUp: CatchUp = .skip,
        runCount: Int64 = 0, maxRuns: Int64? = nil, endsAt: Timestamp? = nil, status: String = "active"
    ) {
        self.id = id
        self.lane = lane
        self.grid = grid
        self.call = call
        self.catchUp = catchUp
        self.runCount = runCount
        self.maxRuns = maxRuns
        self.endsAt = endsAt
        self.status = status
    }

    /// What becomes of instants that went by while nobody ran the timer, besides the overdue one, which is always run.
    public enum CatchUp: String, Hashable, Sendable, CaseIterable {
        /// They are left out.
        case skip
        /// One more run stands for all of them.
        case once
        /// Each is run, the oldest first; of more than `TimerRules.missedCountMax` the newest.
        case all
    }
}
