import Timeline

/// A row held under a lease, with the schedule columns as the claim saw them.
public struct Claim<R: Row>: Sendable {
    public var row: R
    public var lease: Lease
    /// The `next_check_at` that made the row due. If the row's differs at settle, the application's value stays. Nil:
    /// the row was at rest, and was claimed by hand.
    public var dueAt: Timestamp?
    /// The database's clock at the claim.
    public var claimedAt: Timestamp
    /// Where the cadence is counted from: `created_at`, or the last activity of an upload.
    public var cadenceAnchor: Timestamp
    /// Settled checks so far.
    public var checkCount: Int
    /// Consecutive failed checks so far.
    public var failureCount: Int
    /// Claims since the last settle, this one included.
    public var claimCount: Int
    /// What the watch's rules carry between checks, as JSON text.
    public var progress: String?

    public init(
        row: R, lease: Lease, dueAt: Timestamp?, claimedAt: Timestamp, cadenceAnchor: Timestamp, checkCount: Int = 0,
        failureCount: Int = 0, claimCount: Int = 1, progress: String? = nil
    ) {
        self.row = row
        self.lease = lease
        self.dueAt = dueAt
        self.claimedAt = claimedAt
        self.cadenceAnchor = cadenceAnchor
        self.checkCount = checkCount
        self.failureCount = failureCount
        self.claimCount = claimCount
        self.progress = progress
    }

    /// Claimed three times and more before without a settle, by the statements' count: its checks may kill pollers, and it
    /// is claimed alone in its lane.
    public var isSuspect: Bool { claimCount > 3 }
}

/// The fence of one claim: a settle, a renewal or a hand-back with another token than the row's changes nothing.
public struct Lease: Hashable, Sendable {
    /// From a database sequence, never reused.
    public var token: Int64

    public init(token: Int64) {
        self.token = token
    }
}
