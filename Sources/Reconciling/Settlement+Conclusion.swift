import Timeline

extension Settlement {
    /// What is written for a conclusion; nil if the row is handed back instead.
    ///
    /// - Parameters:
    ///   - age: the row's at the conclusion, by the database's clock.
    ///   - duration: how long the check took.
    init?<R: Row>(
        _ claim: Claim<R>, _ conclusion: Conclusion<Change>, cadence: Cadence, age: Duration, duration: Duration,
        using random: inout some RandomNumberGenerator
    ) where R.ID == ID {
        let failureCount = conclusion.verdict == .failed ? claim.failureCount + 1 : 0
        let delay: Duration?
        switch conclusion.next {
        case .rest: delay = nil
        case .cadence: delay = cadence.delay(age: age, using: &random)
        case .backoff: delay = Backoff.check.delay(failures: max(1, failureCount), using: &random)
        case .after(let duration): delay = duration
        case .handBack: return nil
        }
        self.init(
            held: HeldLease(id: claim.row.id, lane: claim.row.lane, lease: claim.lease),
            statusBefore: claim.row.status, basis: claim.row.basis, dueAt: claim.dueAt, verdict: conclusion.verdict,
            delay: delay, failureCount: failureCount, change: conclusion.change, reason: conclusion.reason,
            answer: conclusion.answer, error: conclusion.error, progress: conclusion.progress,
            contradictedBy: conclusion.contradictedBy, duration: duration)
    }
}

extension Conclusion {
    /// What the engine itself concludes when there is no answer to go by: the row stays as it is and backs off.
    static func failed<R: Row>(_ claim: Claim<R>, error: String, laneSignal: LaneSignal) -> Conclusion {
        Conclusion(.failed, next: .backoff, error: error, progress: claim.progress, laneSignal: laneSignal)
    }
}
