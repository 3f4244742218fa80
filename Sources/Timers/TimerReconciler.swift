import JSON
import Reconciling
import Timeline

/// Runs a timer that is due: makes its call, and lets `TimerRules` decide what comes next.
///
/// Calls are at least once: a run that a dead poller left is made again, under the same `Idempotency-Key`, by whoever
/// claims the timer next. The key says more than a journal could, and costs no statement a call.
///
/// A target's outage is none of its lane's: a lane serves many timers, each with a target of its own, so no failed call
/// speaks for it, and a `Retry-After` holds that timer alone.
public struct TimerReconciler: Reconciler {
    private let caller: TimerCaller

    public init(caller: TimerCaller) {
        self.caller = caller
    }

    public func check(_ claim: Claim<Timer>, context: CheckContext) async -> Conclusion<TimerChange> {
        let timer = claim.row
        let kept = TimerProgress(json: claim.progress).instant
        let instant: Timestamp
        switch TimerRules.begin(timer, dueAt: claim.dueAt, kept: kept, now: context.now()) {
        case .run(let due): instant = due
        case .rest(let status, let reason):
            let change = status == timer.status ? nil : TimerChange(status: status)
            return Conclusion(.settled, next: .rest, change: change, reason: reason, laneSignal: .silent)
        }
        guard !context.isDryRun else { return Self.dryRun(claim, instant) }
        let answer = await caller.call(timer, instant: instant, deadline: context.deadline)
        return Self.conclusion(claim, instant, answer, now: context.now())
    }

    static func conclusion(
        _ claim: Claim<Timer>, _ instant: Timestamp, _ answer: TimerCaller.Answer, now: Timestamp
    ) -> Conclusion<TimerChange> {
        let call = claim.row.call
        var outcome = TimerRules.Outcome(isExpected: false)
        var statusCode: Int?
        var problem: String?
        switch answer {
        case .interrupted:
            return Conclusion(.failed, next: .handBack, laneSignal: .silent)
        case .failed(let text): problem = text
        case .status(let status, let wait):
            statusCode = status
            outcome = TimerRules.Outcome(isExpected: call.isExpected(status), wait: wait)
            if !outcome.isExpected {
                problem = "The target answered \(status) instead of \(call.expectStatus.map(String.init) ?? "2xx")."
            }
        }
        let decision = TimerRules.decide(
            claim.row, instant: instant, outcome, failureCount: claim.failureCount, now: now)
        var text = JSONObjectText()
        text.add("instant", "\(instant)")
        text.add("status_code", statusCode.map(Int64.init))
        text.add("problem", problem)
        if decision.leftOut > 0 {
            text.add("left_out", decision.leftOut)
            let leftOut =
                "\(decision.leftOut) missed runs are left out; the newest \(TimerRules.missedCountMax) are made."
            problem = problem.map { "\($0) \(leftOut)" } ?? leftOut
        }
        return Conclusion(
            decision.verdict, next: decision.next,
            change: TimerChange(
                status: decision.status, nextAt: decision.nextAt, runs: decision.runs, called: true,
                statusCode: statusCode),
            reason: decision.reason ?? (decision.leftOut > 0 ? "MISSED_RUNS_LEFT_OUT" : nil), answer: text.text,
            error: problem, progress: TimerProgress(instant: decision.kept).json,
            laneSignal: statusCode == nil ? .silent : .answered)
    }

    /// Says what would be called, and for which instant.
    private static func dryRun(_ claim: Claim<Timer>, _ instant: Timestamp) -> Conclusion<TimerChange> {
        var would = JSONObjectText()
        would.add("method", claim.row.call.method)
        would.add("url", claim.row.call.url)
        would.add("idempotency_key", TimerCaller.key(of: claim.row.id, instant))
        var answer = JSONObjectText()
        answer.add("would", object: would)
        return Conclusion(
            .recheck, next: .after(.zero), reason: "dry_run", answer: answer.text, progress: claim.progress,
            laneSignal: .silent)
    }

    public func refused(
        _ claim: Claim<Timer>, _ conclusion: Conclusion<TimerChange>, by refusal: Refusal
    ) -> Conclusion<TimerChange> {
        // Without a change the instant is kept by the settle itself: what is tried again is the same run.
        return Conclusion(
            .failed, next: .backoff, reason: "REFUSED", answer: conclusion.answer, error: refusal.error,
            progress: claim.progress, laneSignal: conclusion.laneSignal)
    }

    /// Timers go to review for this alone; a person resumes them.
    public func poisoned(_ claim: Claim<Timer>) -> Conclusion<TimerChange> {
        var detail = JSONObjectText()
        detail.add("status_before", claim.row.status)
        detail.add("claim_count", Int64(claim.claimCount))
        return Conclusion(
            .review, next: .rest,
            change: TimerChange(status: "review", reviewReason: "POISON", reviewDetail: detail.text), reason: "POISON",
            progress: claim.progress, laneSignal: .silent)
    }
}
