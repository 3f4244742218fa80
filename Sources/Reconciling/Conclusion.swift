import Timeline

/// What a reconciler made of one check.
public struct Conclusion<Change: Sendable>: Sendable {
    public var verdict: Verdict
    public var next: Next
    /// Nil keeps everything but the schedule columns.
    public var change: Change?
    /// Why, machine-readable: `PAID`, `AMOUNT_MISMATCH`, `dry_run`.
    public var reason: String?
    /// The answer, normalised and free of secrets, as JSON text; recorded in `checks` and `history`.
    public var answer: String?
    /// For people; no secrets. Goes to `last_error`, whatever the verdict; nil clears it.
    public var error: String?
    /// What the watch's rules carry to the next check, as JSON text; nil clears it.
    public var progress: String?
    /// Statuses that contradict this answer: a row that was overtaken by one of them is made due again.
    public var contradictedBy: [String]
    /// What this check says about its lane.
    public var laneSignal: LaneSignal
    /// Where the cadence counts from if the check moved it, e.g. the activity that it noticed; nil: the claim's anchor.
    public var cadenceAnchor: Timestamp?

    public init(
        _ verdict: Verdict, next: Next, change: Change? = nil, reason: String? = nil, answer: String? = nil,
        error: String? = nil, progress: String? = nil, contradictedBy: [String] = [],
        laneSignal: LaneSignal = .answered, cadenceAnchor: Timestamp? = nil
    ) {
        self.verdict = verdict
        self.next = next
        self.change = change
        self.reason = reason
        self.answer = answer
        self.error = error
        self.progress = progress
        self.contradictedBy = contradictedBy
        self.laneSignal = laneSignal
        self.cadenceAnchor = cadenceAnchor
    }
}

/// When a row is checked again.
public enum Next: Hashable, Sendable {
    /// Never by itself: `next_check_at` becomes NULL.
    case rest
    /// By the lane's cadence, from the row's age.
    case cadence
    /// By the failure back-off, from the row's consecutive failures.
    case backoff
    /// After this long.
    case after(Duration)
    /// Not settled at all: the lease is given back and the row stays as it was. The lane answers for it.
    case handBack
}

/// What a check says about the lane it ran in.
public enum LaneSignal: Hashable, Sendable {
    /// Nothing: the lane was not asked.
    case silent
    /// The outside world answered, whatever it said.
    case answered
    /// Connection failure, timeout, 5xx or 429; `retryAfter` holds the lane, for `retryAfterMax` at most.
    case failed(retryAfter: Duration?)
    /// Our configuration is wrong (401, a key that does not fit): says what, without secrets.
    case misconfigured(String)

    /// `Retry-After` is honoured for so long at most, whoever sent it.
    public static let retryAfterMax = Duration.seconds(3_600)
}

/// Why the store refused to write one row's conclusion.
public struct Refusal: Hashable, Sendable {
    /// SQLSTATE, e.g. `23505`.
    public var code: String
    /// The constraint's name where there is one.
    public var constraint: String?
    /// The database's message; no row data.
    public var message: String

    public init(code: String, constraint: String?, message: String) {
        self.code = code
        self.constraint = constraint
        self.message = message
    }

    /// For people, as `Conclusion.error`.
    public var error: String {
        let what = constraint.map { " (\($0))" } ?? ""
        return "The database refused to write the result\(what): \(message)"
    }
}
