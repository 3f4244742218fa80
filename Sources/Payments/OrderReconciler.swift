import JSON
import Reconciling
import Timeline

/// Asks an order's gateway and lets `OrderRules` decide.
public struct OrderReconciler: Reconciler {
    /// By the gateway's name.
    private let lanes: [String: OrderLane]

    public init(lanes: [String: OrderLane]) {
        self.lanes = lanes
    }

    public func check(_ claim: Claim<Order>, context: CheckContext) async -> Conclusion<OrderChange> {
        let order = claim.row
        guard let lane = lanes[order.gateway] else {
            return Conclusion(
                .failed, next: .handBack, error: "no gateway of that name is configured",
                laneSignal: .misconfigured("no gateway of that name is configured"))
        }
        if let decision = OrderRules.unasked(
            order, policy: lane.policy, progress: OrderProgress(json: claim.progress))
        {
            var conclusion = Conclusion(decision)
            conclusion.laneSignal = .silent
            return conclusion
        }
        var question = OrderQuestion(claim, lane, context)
        var decided = await question.ask()
        if decided.decision.closesAtGateway, !lane.policy.isDryRun {
            switch await question.close() {
            case .done: decided = await question.ask()
            case .notNow: break
            case .instead(let conclusion): return conclusion
            }
        }
        return question.conclusion(decided)
    }

    public func refused(
        _ claim: Claim<Order>, _ conclusion: Conclusion<OrderChange>, by refusal: Refusal
    ) -> Conclusion<OrderChange> {
        // By the code alone: an adopted table's constraint has a name of its own.
        if refusal.code == "23505", let txn = conclusion.change?.gatewayTxnID {
            var detail = JSONObjectText()
            detail.add("status_before", claim.row.status)
            detail.add("gateway_txn_id", txn)
            return reviewed(conclusion, OrderReason.duplicate, detail)
        }
        if conclusion.change?.status == "paid", claim.row.status == "pending", isPastGiveUp(claim) {
            var refused = JSONObjectText()
            refused.add("sqlstate", refusal.code)
            refused.add("constraint", refusal.constraint)
            refused.add("message", refusal.message)
            var detail = JSONObjectText()
            detail.add("status_before", claim.row.status)
            detail.add("gateway_txn_id", conclusion.change?.gatewayTxnID)
            detail.add("refusal", object: refused)
            return reviewed(conclusion, OrderReason.gaveUp, detail)
        }
        // A nudged review is tried again, but not for ever; a human waits for it as it is.
        let isOver = claim.row.status == "review" && claim.failureCount >= OrderRules.reviewFailureCountMax
        return Conclusion(
            .failed, next: isOver ? .rest : .backoff, reason: "REFUSED", answer: conclusion.answer,
            error: refusal.error, progress: claim.progress,
            laneSignal: conclusion.laneSignal)
    }

    /// The conclusion with a review in the place of what the database refused.
    private func reviewed(
        _ conclusion: Conclusion<OrderChange>, _ reason: String, _ detail: JSONObjectText
    ) -> Conclusion<OrderChange> {
        var reviewed = conclusion
        reviewed.verdict = .review
        reviewed.next = .rest
        reviewed.reason = reason
        reviewed.change = OrderChange(
            status: "review", gatewayState: conclusion.change?.gatewayState, reviewReason: reason,
            reviewDetail: detail.text)
        return reviewed
    }

    private func isPastGiveUp(_ claim: Claim<Order>) -> Bool {
        lanes[claim.row.gateway].map { claim.claimedAt >= $0.policy.giveUpAt(claim.row) } ?? false
    }

    public func poisoned(_ claim: Claim<Order>) -> Conclusion<OrderChange> {
        var detail = JSONObjectText()
        detail.add("status_before", claim.row.status)
        detail.add("claim_count", Int64(claim.claimCount))
        // An order that was decided already keeps its status: paid is never left, and a payment that arrives after a
        // cancellation must stay recognisable as late. Its reason puts it before a human all the same.
        let change: OrderChange? =
            switch claim.row.status {
            case "pending":
                OrderChange(status: "review", reviewReason: OrderReason.poison, reviewDetail: detail.text)
            case "paid", "closed", "cancelled":
                OrderChange(status: claim.row.status, reviewReason: OrderReason.poison, reviewDetail: detail.text)
            default: nil
            }
        let progress = OrderProgress(isCutOff: OrderProgress(json: claim.progress).isCutOff).json
        if let change, lanes[claim.row.gateway]?.policy.isDryRun ?? false {
            // Not put to rest: the order still waits, and is decided once the dry run ends.
            var would = JSONObjectText()
            would.add("verdict", Verdict.review.rawValue)
            would.add("reason", OrderReason.poison)
            would.add("status", change.status)
            would.add("review_reason", OrderReason.poison)
            var answer = JSONObjectText()
            answer.add("would", object: would)
            return Conclusion(
                .recheck, next: .cadence, reason: OrderReason.dryRun, answer: answer.text, progress: progress,
                laneSignal: .silent)
        }
        return Conclusion(
            .review, next: .rest, change: change, reason: OrderReason.poison, progress: progress, laneSignal: .silent)
    }
}

extension Conclusion<OrderChange> {
    /// The decision as the engine takes it, without answer and lane signal.
    init(_ decision: OrderDecision) {
        self.init(
            decision.verdict, next: decision.next, change: decision.change, reason: decision.reason,
            error: decision.error, progress: decision.progress.json, contradictedBy: decision.contradictedBy)
    }
}
