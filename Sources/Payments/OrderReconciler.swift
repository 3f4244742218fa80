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
        if let decision = OrderRules.unasked(order, policy: lane.policy, checkCount: claim.checkCount) {
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
        if refusal.constraint == "orders_gateway_txn_id_key", let txn = conclusion.change?.gatewayTxnID {
            var detail = JSONObjectText()
            detail.add("status_before", claim.row.status)
            detail.add("gateway_txn_id", txn)
            var duplicate = conclusion
            duplicate.verdict = .review
            duplicate.next = .rest
            duplicate.reason = OrderReason.duplicate
            duplicate.change = OrderChange(
                status: "review", gatewayState: conclusion.change?.gatewayState, reviewReason: OrderReason.duplicate,
                reviewDetail: detail.text)
            return duplicate
        }
        let what = refusal.constraint.map { " (\($0))" } ?? ""
        return Conclusion(
            .failed, next: .backoff, reason: "REFUSED", answer: conclusion.answer,
            error: "The database refused to write the result\(what): \(refusal.message)", progress: claim.progress,
            laneSignal: conclusion.laneSignal)
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
        let isDryRun = lanes[claim.row.gateway]?.policy.isDryRun ?? false
        return Conclusion(
            .review, next: .rest, change: isDryRun ? nil : change, reason: OrderReason.poison,
            laneSignal: .silent)
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
