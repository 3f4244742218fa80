import Timeline

/// What the loop knows of one lane: when to claim there next, and whether it may run.
struct LaneSchedule: Sendable {
    let name: String
    /// Checks in flight at most.
    let concurrency: Int
    /// Claim no later than this; nil waits for the poll floor.
    var claimAt: Moment?
    /// No claims before this: the lane is on hold, or it answered for its configuration a moment ago.
    var notBefore: Moment?
    /// The last claim brought all it asked for.
    var isBusy = false
    /// The lane answers wrongly: a few rows at a time, at growing intervals, until it answers.
    var suspicion = 0
    /// Everything from the bottom up was looked at then.
    var sweptAt: Moment?
    /// Slots kept for claims that are under way.
    var reserved = 0

    init(name: String, concurrency: Int) {
        self.name = name
        self.concurrency = concurrency
    }

    func isOpen(at now: Moment) -> Bool {
        guard let notBefore else { return true }
        return now >= notBefore
    }

    /// When a claim is wanted here, nil for the poll floor.
    var wantedAt: Moment? {
        guard let claimAt else { return nil }
        return max(claimAt, notBefore ?? claimAt)
    }

    mutating func want(by moment: Moment) {
        claimAt = min(claimAt ?? moment, moment)
    }
}
