import Reconciling
import Timeline

/// Lets the conformance suite act on the table behind a store as an application and as time itself.
///
/// Each rule gets a harness of its own with an empty table.
public protocol StoreHarness: Sendable {
    associatedtype S: Store where S.R.ID == String

    /// The watch's own words.
    static var statuses: StatusWords { get }

    /// A store for the poller of this name; all share the table.
    func store(poller: String) async throws -> S

    /// Inserts a row as an application would.
    func insert(_ row: NewRow) async throws
    func columns(of id: String) async throws -> RowColumns
    /// The history rows of this row, oldest first.
    func history(of id: String) async throws -> [HistoryEntry]
    func remove(_ id: String) async throws
    func setStatus(of id: String, to status: String) async throws
    func setLane(of id: String, to lane: String) async throws
    /// Sets `next_check_at` to so long from the database's present (negative: ago); nil is NULL.
    func setNextCheck(of id: String, in delay: Duration?) async throws
    /// Runs `body` while an application's transaction holds the row's lock.
    func whileLocked(_ id: String, _ body: @Sendable () async throws -> Void) async throws
    /// Pauses a lane as a person does.
    func pauseByPerson(lane: String, name: String, reason: String) async throws

    /// Lets this much time pass: by the simulation's clock, or by moving every stored time back. The latter changes
    /// `next_check_at` under a claim, so no rule settles a claim from before.
    func elapse(_ duration: Duration) async throws

    /// A change that sets only the status.
    func change(status: String) -> S.Change
    /// A change that this row alone may not have, as when a unique constraint holds against it.
    func refusedChange(for id: String) async throws -> S.Change
}

/// What a watch calls its statuses, by what they mean to the engine's contract.
public struct StatusWords: Sendable {
    /// The one that rows are inserted with.
    public var waiting: String
    /// A check's result.
    public var settled: String
    /// What an application writes meanwhile.
    public var withdrawn: String
    /// Another result, which no rule writes.
    public var closed: String

    public init(waiting: String, settled: String, withdrawn: String, closed: String) {
        self.waiting = waiting
        self.settled = settled
        self.withdrawn = withdrawn
        self.closed = closed
    }

    public static let orders = StatusWords(
        waiting: "pending", settled: "paid", withdrawn: "cancelled", closed: "closed")
}

/// A row as an application inserts it, in the status `waiting`.
public struct NewRow: Sendable {
    public var id: String
    public var lane: String
    /// `next_check_at`, so long from now; nil is NULL.
    public var dueIn: Duration?
    /// Claims without a settle, as crashed pollers left them.
    public var claimCount: Int

    public init(
        _ id: String, lane: String = "a", dueIn: Duration? = .seconds(-10), claimCount: Int = 0
    ) {
        self.id = id
        self.lane = lane
        self.dueIn = dueIn
        self.claimCount = claimCount
    }
}

/// A row's schedule columns, its lane and its status.
public struct RowColumns: Hashable, Sendable {
    public var lane: String
    public var status: String
    /// `next_check_at` from the database's present; nil is NULL.
    public var nextCheckIn: Duration?
    public var checkCount: Int
    public var failureCount: Int
    public var claimCount: Int
    public var leaseToken: Int64?
    public var isLeaseExpirySet: Bool
    public var leasedBy: String?
    /// JSON text, compared without its spaces.
    public var progress: String?
    public var lastVerdict: String?
    public var lastError: String?
    public var isLastCheckedAtSet: Bool

    public init(
        lane: String, status: String, nextCheckIn: Duration?, checkCount: Int, failureCount: Int, claimCount: Int,
        leaseToken: Int64?, isLeaseExpirySet: Bool, leasedBy: String?, progress: String?, lastVerdict: String?,
        lastError: String?, isLastCheckedAtSet: Bool
    ) {
        self.lane = lane
        self.status = status
        self.nextCheckIn = nextCheckIn
        self.checkCount = checkCount
        self.failureCount = failureCount
        self.claimCount = claimCount
        self.leaseToken = leaseToken
        self.isLeaseExpirySet = isLeaseExpirySet
        self.leasedBy = leasedBy
        self.progress = progress
        self.lastVerdict = lastVerdict
        self.lastError = lastError
        self.isLastCheckedAtSet = isLastCheckedAtSet
    }
}

/// One row of `history`.
public struct HistoryEntry: Hashable, Sendable {
    public var verdict: String
    public var statusBefore: String
    public var statusAfter: String

    public init(verdict: String, statusBefore: String, statusAfter: String) {
        self.verdict = verdict
        self.statusBefore = statusBefore
        self.statusAfter = statusAfter
    }
}
