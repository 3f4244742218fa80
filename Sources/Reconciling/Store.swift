import Timeline

/// The table under reconciliation as the engine sees it: the same engine runs on PostgreSQL and in a simulation, and one
/// conformance suite holds both to this contract.
public protocol Store<R, Change>: Sendable {
    associatedtype R: Row
    associatedtype Change: Sendable

    /// Writes conclusions and claims due rows in one round trip; each half succeeds or fails by itself.
    ///
    /// Settling is fenced by lease token and poller, and compares the status and, where there is one, the basis. Claiming
    /// takes due rows of the lanes that may run, oldest first within each lane, and never a row that another holds.
    func exchange(_ request: Exchange<R, Change>) async -> ExchangeResult<R>

    /// Extends leases; returns the tokens whose leases were extended. A token that is missing was lost, or the
    /// application holds its row's lock: tried once more, and then its check must stop.
    func renew(_ leases: [HeldLease<R.ID>], for duration: Duration) async throws -> Set<Int64>

    /// Gives rows back as they were, but for an error to be shown: due again at once, the claim not counted. A lease that
    /// is no longer ours is left alone.
    ///
    /// Called in a cancelled task too, when a poller leaves at once: where it cannot work there, the rows wait for their
    /// leases to lapse.
    func handBack(_ leases: [HeldLease<R.ID>]) async throws

    /// Writes `progress` under the fence; false if the lease was lost.
    func journal(_ lease: HeldLease<R.ID>, progress: String) async throws -> Bool

    /// Makes the lanes known. A lane that paused itself for its configuration is probed at once afterwards.
    func register(lanes: [String]) async throws

    /// Pauses a lane for its configuration, the reason shown; a pause by a person is left alone. Probed once a minute with
    /// one row, whatever bound the claim asks for: its rows take turns, oldest first.
    func pause(lane: String, reason: String) async throws

    /// Ends a pause for configuration, never one by a person.
    func resume(lane: String) async throws

    /// No claims in this lane for so long, by any poller; a longer hold stays.
    func hold(lane: String, for duration: Duration) async throws

    /// Keeps the poller's row in the registry alive; `stopping` when it leaves.
    func heartbeat(stopping: Bool) async throws

    /// Rows became due sooner than the engine may know. Ends with the store. Delivery is best effort: the engine polls
    /// anyway.
    func wakeups() -> AsyncStream<Wakeup>
}

/// One round of the engine's loop.
public struct Exchange<R: Row, Change: Sendable>: Sendable {
    public var settlements: [Settlement<R.ID, Change>]
    /// Nil settles only.
    public var claim: ClaimRequest<R.ID>?

    public init(settlements: [Settlement<R.ID, Change>], claim: ClaimRequest<R.ID>?) {
        self.settlements = settlements
        self.claim = claim
    }
}

/// A lease with the row that it holds.
public struct HeldLease<ID: Sendable>: Sendable {
    public var id: ID
    public var lane: String
    public var lease: Lease
    /// Why the row is handed back, for people: goes to `last_error`; nil leaves what stands there.
    public var error: String?

    public init(id: ID, lane: String, lease: Lease, error: String? = nil) {
        self.id = id
        self.lane = lane
        self.lease = lease
        self.error = error
    }
}

/// A conclusion with everything that its statement needs; delays are added to the database's clock.
public struct Settlement<ID: Sendable, Change: Sendable>: Sendable {
    public var held: HeldLease<ID>
    /// The status that the check began with; another one now means `overtaken`.
    public var statusBefore: String
    /// The row's `basis` that the check began with; another one now means `overtaken` too, whatever was concluded.
    public var basis: String?
    /// The `next_check_at` that the claim saw, nil if there was none. The row's may be NULL by the same token: then it
    /// is unchanged.
    public var dueAt: Timestamp?
    public var verdict: Verdict
    /// Nil puts the row to rest.
    public var delay: Duration?
    /// The new value of `failure_count`.
    public var failureCount: Int
    public var change: Change?
    public var reason: String?
    public var answer: String?
    public var error: String?
    public var progress: String?
    public var contradictedBy: [String]
    /// How long the check took.
    public var duration: Duration

    public init(
        held: HeldLease<ID>, statusBefore: String, basis: String? = nil, dueAt: Timestamp?, verdict: Verdict,
        delay: Duration?, failureCount: Int = 0, change: Change? = nil, reason: String? = nil, answer: String? = nil,
        error: String? = nil, progress: String? = nil, contradictedBy: [String] = [], duration: Duration = .zero
    ) {
        self.held = held
        self.statusBefore = statusBefore
        self.basis = basis
        self.dueAt = dueAt
        self.verdict = verdict
        self.delay = delay
        self.failureCount = failureCount
        self.change = change
        self.reason = reason
        self.answer = answer
        self.error = error
        self.progress = progress
        self.contradictedBy = contradictedBy
        self.duration = duration
    }
}

/// Which due rows to claim, and how many.
public struct ClaimRequest<ID: Sendable>: Sendable {
    /// How long the rows are held unless renewed.
    public var lease: Duration
    /// Lanes with a quota above zero.
    public var quotas: [LaneQuota<ID>]

    public init(lease: Duration, quotas: [LaneQuota<ID>]) {
        self.lease = lease
        self.quotas = quotas
    }
}

public struct LaneQuota<ID: Sendable>: Sendable {
    public var lane: String
    /// At most so many rows.
    public var count: Int
    /// Whether a suspect may be taken: a row claimed three times or more without a settle. It is claimed alone within
    /// its lane; what other lanes bring is not its business.
    public var includesSuspects: Bool
    /// Rows before this place are not looked at: the index entries there are dead, or held by others. Nil looks at all.
    public var from: ClaimBound<ID>?

    public init(lane: String, count: Int, includesSuspects: Bool, from: ClaimBound<ID>? = nil) {
        self.lane = lane
        self.count = count
        self.includesSuspects = includesSuspects
        self.from = from
    }
}

/// A place in the index on (lane, next_check_at, id).
public struct ClaimBound<ID: Sendable>: Sendable {
    public var dueAt: Timestamp
    public var id: ID

    public init(dueAt: Timestamp, id: ID) {
        self.dueAt = dueAt
        self.id = id
    }
}

/// What a round brought. A failed half threw; after a lost connection it may have been written all the same, and trying
/// again is safe: the fence makes the second write `stale`.
public struct ExchangeResult<R: Row>: Sendable {
    /// One outcome for each settlement, in their order.
    public var settled: Result<[SettleOutcome], StoreError>
    /// Nil if no claim was asked for.
    public var claimed: Result<Claimed<R>, StoreError>?

    public init(settled: Result<[SettleOutcome], StoreError>, claimed: Result<Claimed<R>, StoreError>?) {
        self.settled = settled
        self.claimed = claimed
    }
}

public enum SettleOutcome: Hashable, Sendable {
    /// Written; the status, `next_check_at` and, unless that is NULL, the lane are now these: the application may have moved
    /// the row.
    case written(status: String, dueAt: Timestamp? = nil, lane: String? = nil)
    /// The status had changed to this; counted and recorded, not overwritten. The others are as above.
    case overtaken(status: String, dueAt: Timestamp? = nil, lane: String? = nil)
    /// The lease was another's by then, or the row is gone: nothing was changed.
    case stale
    /// The application holds the row's lock: try again soon; the others were written.
    case locked
    /// This row alone could not be written.
    case refused(Refusal)
}

public struct Claimed<R: Row>: Sendable {
    public var claims: [Claim<R>]
    /// One for each lane of the request, but for those of which nothing was learnt.
    public var horizons: [LaneHorizon]

    public init(claims: [Claim<R>], horizons: [LaneHorizon]) {
        self.claims = claims
        self.horizons = horizons
    }
}

public struct LaneHorizon: Hashable, Sendable {
    public var lane: String
    /// When the next row falls due that was not due yet at the claim; nil if none ever does. A lane on hold has the end
    /// of the hold here, whatever falls due before or after it.
    public var nextDueIn: Duration?
    /// Why the lane may not run, nil if it may.
    public var pause: LanePause?

    public init(lane: String, nextDueIn: Duration?, pause: LanePause? = nil) {
        self.lane = lane
        self.nextDueIn = nextDueIn
        self.pause = pause
    }
}

public struct LanePause: Hashable, Sendable {
    /// A person's name, or nil when the lane paused itself for its configuration.
    public var by: String?
    public var reason: String

    public init(by: String?, reason: String) {
        self.by = by
        self.reason = reason
    }
}
