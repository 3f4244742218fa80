import Timeline

/// Knows one watch: how to ask the outside world about a row, and what the answer means for it.
///
/// A check may run more than once for a row, at the same time even (a frozen poller wakes up after its lease lapsed);
/// only one of its conclusions is written.
public protocol Reconciler<R, Change>: Sendable {
    associatedtype R: Row
    /// What a settle writes besides the schedule columns.
    associatedtype Change: Sendable

    /// Asks about one claimed row. Called with a deadline that lies inside the lease; the task is cancelled there, and at
    /// the end of the shutdown grace. Every fault of the outside world is a conclusion, so nothing is thrown.
    func check(_ claim: Claim<R>, context: CheckContext) async -> Conclusion<Change>

    /// The store refused to write a conclusion for this row alone, e.g. because a unique constraint holds against it.
    /// Returns what to write instead; the result is written without asking again.
    func refused(_ claim: Claim<R>, _ conclusion: Conclusion<Change>, by refusal: Refusal) -> Conclusion<Change>

    /// The row was claimed six times without a settle: its check seems to kill pollers. It is not asked about.
    func poisoned(_ claim: Claim<R>) -> Conclusion<Change>
}

/// What a check may use of the engine.
public struct CheckContext: Sendable {
    /// The check is cancelled here: the smaller of the lane's timeout and what is left of the lease.
    public var deadline: Moment
    /// The database's clock, carried forward from the claim on this machine's.
    public var now: @Sendable () -> Timestamp
    /// What is left of the lease. A call that changes the outside world starts only with more than its timeout left.
    public var leaseRemaining: @Sendable () -> Duration
    /// Writes `progress` under the fence before a call that changes the outside world; false if the lease was lost,
    /// and then the call must not start.
    public var journal: @Sendable (_ progress: String) async throws -> Bool
    /// Whether the lane had paused itself when the row was claimed, and the check only looks whether it answers again.
    public var isProbe: Bool
    /// Whether the conclusion is only shown: nothing of the outside world may be changed.
    public var isDryRun = false

    public init(
        deadline: Moment, now: @escaping @Sendable () -> Timestamp,
        leaseRemaining: @escaping @Sendable () -> Duration,
        journal: @escaping @Sendable (_ progress: String) async throws -> Bool, isProbe: Bool = false
    ) {
        self.isProbe = isProbe
        self.deadline = deadline
        self.now = now
        self.leaseRemaining = leaseRemaining
        self.journal = journal
    }
}
