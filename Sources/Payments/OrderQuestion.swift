import JSON
import Outgoing
import Reconciling
import Timeline

/// One check under way: the claim, its lane and what the engine lends it.
struct OrderQuestion {
    struct Decided {
        var answer: Answer
        var decision: OrderDecision
    }

    enum CloseStep {
        /// The gateway was told; what became of it, only the next answer says.
        case done
        /// It was not closed, and the decision holds as it is.
        case notNow
        /// It was not told, and the check ends with this.
        case instead(Conclusion<OrderChange>)
    }

    private let claim: Claim<Order>
    private let lane: OrderLane
    private let context: CheckContext
    private var progress: OrderProgress
    /// Why the gateway does not let us close the order.
    private var closeProblem: String?

    init(_ claim: Claim<Order>, _ lane: OrderLane, _ context: CheckContext) {
        self.claim = claim
        self.lane = lane
        self.context = context
        progress = OrderProgress(json: claim.progress)
    }

    func ask() async -> Decided {
        let begunAt = context.now()
        let answer = await lane.gateway.ask(claim.row, deadline: context.deadline)
        let decision = OrderRules.decide(
            claim.row, answer, policy: lane.policy, begunAt: begunAt, progress: progress,
            failureCount: claim.failureCount, isProbe: context.isProbe)
        return Decided(answer: answer, decision: decision)
    }

    /// Closes the order at the gateway: journaled first, so that a poller that takes over after a crash repeats the call
    /// under the same idempotency key instead of making another.
    mutating func close() async -> CloseStep {
        guard context.leaseRemaining() > lane.timeout else {
            return .notNow
        }
        let key = progress.closeKey ?? newCloseKey
        progress.closeKey = key
        do {
            guard try await context.journal(progress.json ?? "{}") else {
                return .instead(Conclusion(.failed, next: .handBack, reason: "LEASE_LOST", laneSignal: .silent))
            }
        } catch {
            return .instead(
                Conclusion(
                    .failed, next: .backoff, reason: "NOT_JOURNALED",
                    error: "The order was not closed at the gateway: the step could not be journaled.",
                    progress: claim.progress))
        }
        switch await lane.gateway.close(claim.row, idempotencyKey: key, deadline: context.deadline) {
        case .answered: progress.closeKey = nil
        case .unknown: break
        case .misconfigured(let problem):
            // The key may ask all the same: the order goes on without the close, and so does its lane.
            progress.closeKey = nil
            closeProblem = problem
            return .notNow
        }
        return .done
    }

    // Unique among all databases that share the gateway's account: the order's name, and the fence's token.
    private var newCloseKey: String {
        let name = PercentEncoding.segment(claim.row.gatewayRef ?? claim.row.id)
        return "reconciled-close-\(name.prefix(180))-\(claim.lease.token)"
    }

    func conclusion(_ decided: Decided) -> Conclusion<OrderChange> {
        var (answer, decision) = (decided.answer, decided.decision)
        if answer.failure?.kind == .interrupted {
            return Conclusion(.failed, next: .handBack, error: decision.error, laneSignal: .silent)
        }
        // Until the order's state is decided, an attempt to close whose outcome is unknown is remembered.
        if decision.change == nil { decision.progress.closeKey = progress.closeKey }
        let conclusion = lane.policy.isDryRun ? dryRun(answer, decision) : full(answer, decision)
        return conclusion
    }

    private func full(_ answer: Answer, _ decision: OrderDecision) -> Conclusion<OrderChange> {
        var conclusion = Conclusion(decision)
        var object = answer.jsonObject
        object.add("close_problem", closeProblem)
        conclusion.answer = object.text
        conclusion.laneSignal = answer.laneSignal
        return conclusion
    }

    /// Writes the schedule only, and says what would have been written besides.
    private func dryRun(_ answer: Answer, _ decision: OrderDecision) -> Conclusion<OrderChange> {
        var conclusion = full(answer, decision)
        guard decision.next != .handBack else { return conclusion }
        conclusion.reason = OrderReason.dryRun
        conclusion.contradictedBy = []
        guard decision.change != nil || decision.closesAtGateway else { return conclusion }
        var would = JSONObjectText()
        would.add("verdict", decision.verdict.rawValue)
        would.add("reason", decision.reason)
        would.add("status", decision.change?.status)
        would.add("review_reason", decision.change?.reviewReason)
        would.add("close_at_gateway", decision.closesAtGateway)
        var object = answer.jsonObject
        object.add("would", object: would)
        conclusion.answer = object.text
        conclusion.change = nil
        // The order still waits: it is decided once the dry run ends.
        conclusion.verdict = .recheck
        if decision.next == .rest { conclusion.next = .cadence }
        return conclusion
    }
}
