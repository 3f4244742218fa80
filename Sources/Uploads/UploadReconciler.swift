import JSON
import Reconciling

/// Looks after sessions: asks their stores what `UploadRules` want to know, and concludes what they decide.
public struct UploadReconciler: Reconciler {
    /// By the store's name.
    private let lanes: [String: UploadLane]

    public init(lanes: [String: UploadLane]) {
        self.lanes = lanes
    }

    public func check(_ claim: Claim<Upload>, context: CheckContext) async -> Conclusion<UploadChange> {
        guard let lane = lanes[claim.row.store] else {
            let problem = "no store of that name is configured"
            return Conclusion(.failed, next: .handBack, error: problem, laneSignal: .misconfigured(problem))
        }
        var check = UploadCheck(claim, lane, context)
        return await check.run()
    }

    public func refused(
        _ claim: Claim<Upload>, _ conclusion: Conclusion<UploadChange>, by refusal: Refusal
    ) -> Conclusion<UploadChange> {
        // A nudged review is tried again, but not for ever; a human waits for it as it is.
        let isOver = claim.row.status == "review" && claim.failureCount >= UploadRules.reviewFailureCountMax
        return Conclusion(
            .failed, next: isOver ? .rest : .backoff, reason: "REFUSED", answer: conclusion.answer,
            error: refusal.error, progress: kept(claim, conclusion), laneSignal: conclusion.laneSignal)
    }

    /// The status stays, and so does what belongs to it; but not what the store noted meanwhile: it was done.
    private func kept(_ claim: Claim<Upload>, _ conclusion: Conclusion<UploadChange>) -> String? {
        guard let change = conclusion.change, change.status != claim.row.status else { return conclusion.progress }
        let latest = UploadProgress(json: conclusion.progress)
        var kept = UploadProgress(json: claim.progress)
        kept.state = latest.state
        kept.mergedBytes = latest.mergedBytes ?? change.mergedBytes ?? kept.mergedBytes
        return kept.json
    }

    public func poisoned(_ claim: Claim<Upload>) -> Conclusion<UploadChange> {
        var detail = JSONObjectText()
        detail.add("status_before", claim.row.status)
        detail.add("claim_count", Int64(claim.claimCount))
        // What was decided already stays decided; the reason puts it before a human all the same.
        let status: String? =
            switch claim.row.status {
            case "receiving", "merging": "review"
            case "complete", "expired": claim.row.status
            default: nil
            }
        let change = status.map {
            UploadChange(status: $0, reviewReason: UploadReason.poison, reviewDetail: detail.text)
        }
        if let change, lanes[claim.row.store]?.policy.isDryRun ?? false {
            // Not put to rest: the upload still waits, and is decided once the dry run ends.
            let decision = UploadDecision(
                .recheck, next: .cadence, reason: UploadReason.dryRun, laneSignal: .silent,
                would: .init(
                    verdict: .review, reason: UploadReason.poison, status: change.status,
                    reviewReason: change.reviewReason))
            var conclusion = Conclusion(decision, answer: UploadAnswer().json(decision))
            conclusion.progress = claim.progress
            return conclusion
        }
        // The progress stays as it is: once nudged, a merge goes on where it was.
        return Conclusion(
            .review, next: .rest, change: change, reason: UploadReason.poison, progress: claim.progress,
            laneSignal: .silent)
    }
}

extension Conclusion<UploadChange> {
    /// The decision as the engine takes it.
    init(_ decision: UploadDecision, answer: String?) {
        self.init(
            decision.verdict, next: decision.next, change: decision.change, reason: decision.reason, answer: answer,
            error: decision.error, progress: decision.progress.json, laneSignal: decision.laneSignal,
            cadenceAnchor: decision.cadenceAnchor)
    }
}
