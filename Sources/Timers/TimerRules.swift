import Reconciling
import Timeline

/// Decides when a timer runs, and what an instant's run leads to.
///
/// A run stands for an instant of the grid, or for the instant that a nudge made it due at. A failed call is tried again for
/// the same instant by the engine's back-off, but only while that ends before the next instant: a timer of a second goes
/// on with its grid, one of a day is tried again until it is done or the next day's run takes its place. Only then is the
/// run over, and counts. A failure never puts a timer to review, and never ends its grid.
public enum TimerRules {
    /// Missed runs that `catch_up: all` makes up for at most.
    public static let missedCountMax: Int64 = 1_000

    /// What a check begins with.
    public enum Beginning: Hashable, Sendable {
        /// Call, for this instant.
        case run(instant: Timestamp)
        /// There is nothing to run: to rest, with this status.
        case rest(status: String, reason: String?)
    }

    /// What came of a call.
    public struct Outcome: Hashable, Sendable {
        public var isExpected: Bool
        /// How long the target asks to be left alone.
        public var wait: Duration?

        public init(isExpected: Bool, wait: Duration? = nil) {
            self.isExpected = isExpected
            self.wait = wait
        }
    }

    /// - Parameters:
    ///   - dueAt: the `next_check_at` that the claim saw. In the future or nil, a person asks before the time.
    ///   - kept: the instant that `progress` carries.
    public static func begin(_ timer: Timer, dueAt: Timestamp?, kept: Timestamp?, now: Timestamp) -> Beginning {
        // Paused means that no call is made, not even by a nudge.
        guard timer.status == "active" else { return .rest(status: timer.status, reason: nil) }
        if let maxRuns = timer.maxRuns, timer.runCount >= maxRuns {
            return .rest(status: "finished", reason: "MAX_RUNS")
        }
        let instant = kept ?? min(dueAt ?? now, now)
        if let endsAt = timer.endsAt, instant > endsAt { return .rest(status: "finished", reason: "ENDED") }
        return .run(instant: instant)
    }

    /// - Parameters:
    ///   - instant: what the run stood for.
    ///   - failureCount: consecutive failures before this call.
    ///   - now: the database's clock after the call.
    public static func decide(
        _ timer: Timer, instant: Timestamp, _ outcome: Outcome, failureCount: Int, now: Timestamp
    ) -> TimerDecision {
        let pause = Pause(outcome, failureCount: failureCount)
        let following = timer.grid.instant(after: instant)
        if !outcome.isExpected, following > now, now + pause.limit < following {
            return TimerDecision(.failed, next: pause.next, kept: instant)
        }
        var decision = TimerDecision(outcome.isExpected ? .settled : .failed, next: .rest, runs: 1)
        if let maxRuns = timer.maxRuns, timer.runCount + 1 >= maxRuns { return decision.finished("MAX_RUNS") }
        let (coming, leftOut) = upcoming(timer, after: instant, following: following, pause: pause, now: now)
        if let endsAt = timer.endsAt, coming > endsAt { return decision.finished("ENDED") }
        decision.leftOut = leftOut
        if coming > now + pause.wait {
            decision.next = .after(coming - now)
            decision.nextAt = coming
        } else if outcome.isExpected {
            decision.next = .after(.zero)
            decision.kept = coming
        } else {
            // Missed runs are made up for at the target's pace, and not more slowly than new ones come.
            let grid = timer.grid.instant(after: now)
            decision.next = now + pause.limit < grid || pause.wait > .zero ? pause.next : .after(grid - now)
            decision.kept = coming
        }
        return decision
    }

    /// The instant that the next run stands for, and how many before it are given up.
    private static func upcoming(
        _ timer: Timer, after instant: Timestamp, following: Timestamp, pause: Pause, now: Timestamp
    ) -> (instant: Timestamp, leftOut: Int64) {
        let grid = timer.grid
        let last = timer.endsAt.map { min($0, now) } ?? now
        guard following <= now else {
            // The target asks not to be called at the next instants: that is as good as having missed them.
            guard timer.catchUp == .skip, now + pause.wait > following else { return (following, 0) }
            return (grid.instant(after: now + pause.wait), 0)
        }
        switch timer.catchUp {
        case .skip:
            // A nudge stands for itself: an instant that went by during its call is overdue, and is run.
            return (grid.contains(instant) ? grid.instant(after: now + pause.wait) : following, 0)
        case .once:
            return (max(following, grid.instant(notAfter: last) ?? following), 0)
        case .all:
            let newest = max(following, grid.instant(notAfter: last) ?? following)
            let count = grid.count(from: following, through: newest)
            guard count > missedCountMax else { return (following, 0) }
            let leftOut = count - missedCountMax
            return (Timestamp(microseconds: following.microseconds + leftOut * grid.every), leftOut)
        }
    }
}

/// What a check of a timer leads to.
public struct TimerDecision: Hashable, Sendable {
    public var verdict: Verdict
    public var next: Next
    /// The instant of the grid that `next` waits for, to be written as it stands.
    public var nextAt: Timestamp?
    /// The instant that the next run stands for, where that is not the one it falls due at.
    public var kept: Timestamp?
    /// Runs that are over.
    public var runs: Int
    public var status = "active"
    public var reason: String?
    /// Missed runs that are not made up for.
    public var leftOut: Int64 = 0

    init(_ verdict: Verdict, next: Next, kept: Timestamp? = nil, runs: Int = 0) {
        self.verdict = verdict
        self.next = next
        self.kept = kept
        self.runs = runs
    }

    fileprivate func finished(_ reason: String) -> TimerDecision {
        var decision = self
        decision.status = "finished"
        decision.reason = reason
        return decision
    }
}

/// How long a target that failed is left alone.
private struct Pause {
    /// What it asked for; zero if nothing.
    let wait: Duration
    /// The most that it may come to.
    let limit: Duration
    let next: Next

    init(_ outcome: TimerRules.Outcome, failureCount: Int) {
        guard !outcome.isExpected else {
            (wait, limit, next) = (.zero, .zero, .after(.zero))
            return
        }
        let backoff = Backoff.check.limit(failures: failureCount + 1)
        if let asked = outcome.wait, asked > .zero {
            wait = min(asked, LaneSignal.retryAfterMax)
            limit = max(wait, backoff)
            next = .after(limit)
        } else {
            (wait, limit, next) = (.zero, backoff, .backoff)
        }
    }
}
