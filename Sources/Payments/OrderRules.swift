import JSON
import Reconciling
import Timeline

/// The decision table for orders: every choice about a payment is made here, without a clock and without I/O.
public struct OrderRules: Sendable {
    /// A missing order is closed after this many authenticated answers …
    public static let notFoundCountMin = 3
    /// … spread over at least this long; the second look at a paid order that seems absent waits as long.
    public static let tallySpread = Duration.seconds(600)
    /// An order that is in review or paid is asked about again after failures, but not for ever.
    public static let reviewFailureCountMax = 20
    /// A check planned for an instant of the order's starts this much behind it, so that it sees the instant passed.
    static let margin = Duration.seconds(1)

    let order: Order
    let answer: Answer
    let policy: OrderPolicy
    let begunAt: Timestamp
    let progress: OrderProgress
    let failureCount: Int
    let isProbe: Bool
    let isDuplicate: Bool

    /// Decides on one answer. Total: every status, answer and instant has a decision.
    ///
    /// - Parameters:
    ///   - begunAt: when the question was asked, by the database's clock. An answer is as old as its question: a check
    ///     begun before `expires_at` or `give_up_at` does not act on them.
    ///   - failureCount: consecutive failed checks before this one.
    ///   - isProbe: whether the lane is paused and the check only looks whether it answers again: an order that could
    ///     not be asked about in time is not given up for that.
    ///   - isDuplicate: whether another order of the gateway already holds the answer's transaction.
    public static func decide(
        _ order: Order, _ answer: Answer, policy: OrderPolicy, begunAt: Timestamp, progress: OrderProgress = .init(),
        failureCount: Int = 0, isProbe: Bool = false, isDuplicate: Bool = false
    ) -> OrderDecision {
        let rules = OrderRules(
            order: order, answer: usable(answer, for: order, policy), policy: policy, begunAt: begunAt,
            progress: progress, failureCount: failureCount, isProbe: isProbe, isDuplicate: isDuplicate)
        var decision = rules.decision
        decision.progress.isCutOff = progress.isCutOff
        if answer.state == .paid, answer.authenticated { decision.contradictedBy = ["cancelled", "closed"] }
        return decision
    }

    /// What needs no question: nil if the gateway is to be asked.
    public static func unasked(_ order: Order, policy: OrderPolicy, progress: OrderProgress) -> OrderDecision? {
        func rest(_ reason: String, isCutOff: Bool = progress.isCutOff) -> OrderDecision {
            OrderDecision(.settled, next: .rest, reason: reason, progress: OrderProgress(isCutOff: isCutOff))
        }
        // A review falls due only because someone asks for it.
        if let cutOff = policy.cutOff, order.createdAt < cutOff, !progress.isCutOff, order.status != "review" {
            return rest(OrderReason.cutOff, isCutOff: true)
        }
        switch order.status {
        case "pending", "cancelled", "closed", "review": return nil
        case "paid":
            let isVerified = !policy.reverifiesPaid || order.verifiedAt != nil || order.reviewReason != nil
            return isVerified ? rest(OrderReason.alreadyPaid) : nil
        default: return rest(OrderReason.foreignStatus)
        }
    }

    /// An answer about another order is none about ours. Only a payment goes before a human with it, as ORDER_MISMATCH,
    /// unless ours is paid already.
    private static func usable(_ answer: Answer, for order: Order, _ policy: OrderPolicy) -> Answer {
        switch answer.state {
        case .unknown, .configError: return answer
        case .paid where order.status != "paid": return answer
        default:
            guard OrderProof.isAboutAnother(order, answer, policy.requirements) else { return answer }
            return .unknown(AnswerFailure(.unreadable, problem: "The gateway's answer names another order."))
        }
    }

    private var decision: OrderDecision {
        if answer.state == .configError {
            return OrderDecision(
                .failed, next: .handBack, reason: answer.state.rawValue, error: answer.failure?.problem,
                progress: progress)
        }
        switch order.status {
        case "pending": return pending
        case "cancelled", "closed": return ended
        case "paid": return paid
        case "review": return reviewed
        default: return OrderDecision(.settled, next: .rest, reason: OrderReason.foreignStatus)
        }
    }

    // MARK: pending

    private var pending: OrderDecision {
        switch answer.state {
        case .paid: return paidAnswer
        case .refunded: return review(answer.isDisputed ? OrderReason.disputed : OrderReason.refunded)
        case .disputed: return review(OrderReason.disputed)
        case .closed: return answer.authenticated ? closed : unanswered
        case .notPaidYet:
            var waiting = waiting
            waiting.closesAtGateway =
                policy.closesAtGateway && answer.authenticated && answer.isClosable
                && order.expiresAt.map { begunAt >= $0 } ?? false
            return waiting
        case .notFound: return answer.authenticated ? notFound : notFoundUnauthenticated
        case .unknown, .configError: return unanswered
        }
    }

    private var paidAnswer: OrderDecision {
        let proof = proof
        guard proof.lacking.isEmpty else { return unanswered }
        guard proof.isComplete else { return review(proof.differences[0], proof) }
        return OrderDecision(.settled, next: .rest, change: paidChange, reason: answer.state.rawValue)
    }

    private var closed: OrderDecision {
        OrderDecision(
            .settled, next: .rest, change: OrderChange(status: "closed", gatewayState: answer.gatewayState),
            reason: answer.state.rawValue)
    }

    /// An order that the gateway does not know may still appear there until it expires; after that, only several answers
    /// spread over time make it certain that it will not.
    private var notFound: OrderDecision {
        let limit = order.expiresAt ?? giveUpAt
        guard begunAt >= limit else { return waiting }
        let tally = notFoundTally
        let left = Self.tallySpread - (begunAt - tally.since)
        if tally.count >= Self.notFoundCountMin, left <= .zero { return closed }
        // Orders that never expire are counted from give_up_at on; the others had their time before it.
        if isPastGiveUp, order.expiresAt != nil { return gaveUp }
        let wait = tally.count + 1 < Self.notFoundCountMin ? left / 2 : left
        return OrderDecision(
            .recheck, next: .after(max(wait, .zero) + Self.margin), reason: answer.state.rawValue,
            progress: OrderProgress(notFound: tally))
    }

    private var notFoundTally: OrderProgress.Tally {
        guard let before = progress.notFound, before.since <= begunAt else { return .init(count: 1, since: begunAt) }
        return .init(count: min(before.count + 1, 1_000), since: before.since)
    }

    private var notFoundUnauthenticated: OrderDecision {
        isPastGiveUp ? review(OrderReason.notFoundAfterGrace) : waiting
    }

    /// "Not yet" is an answer: asked again by cadence, but no later than when the order's own times change the question.
    private var waiting: OrderDecision {
        isPastGiveUp ? gaveUp : OrderDecision(.recheck, next: nextByCadence, reason: answer.state.rawValue)
    }

    private var unanswered: OrderDecision {
        isPastGiveUp ? gaveUp : failed(next: .backoff)
    }

    private var gaveUp: OrderDecision { review(OrderReason.gaveUp) }

    private var nextByCadence: Next {
        let milestones = [order.expiresAt, giveUpAt].compactMap { $0 }.filter { $0 > begunAt }
        guard let nearest = milestones.min(), nearest != .distantFuture else { return .cadence }
        let wait = nearest - begunAt + Self.margin
        let step = Cadence(policy.cadence).step(age: begunAt - order.createdAt)
        // The engine spreads a step by a tenth either way.
        return step + step / 10 > wait ? .after(wait) : .cadence
    }

    // MARK: cancelled, closed

    private var ended: OrderDecision {
        switch answer.state {
        case .paid:
            guard answer.authenticated else { return endedUnanswered }
            return review(OrderReason.paidLate, proof)
        case .disputed: return review(OrderReason.disputed)
        case .notPaidYet, .closed, .notFound, .refunded:
            return OrderDecision(.settled, next: .rest, reason: answer.state.rawValue)
        case .unknown, .configError: return endedUnanswered
        }
    }

    private var endedUnanswered: OrderDecision { failed(next: isPastGiveUp ? .rest : .backoff) }

    /// The order is decided already, its own times are over as a rule: the failures are counted instead.
    private var decidedUnanswered: OrderDecision {
        failed(next: failureCount < Self.reviewFailureCountMax ? .backoff : .rest)
    }

    // MARK: paid

    /// Reached only when paid orders are verified again; the status stays whatever the answer is.
    private var paid: OrderDecision {
        guard policy.reverifiesPaid else {
            return OrderDecision(.settled, next: .rest, reason: OrderReason.alreadyPaid)
        }
        switch answer.state {
        case .closed, .notPaidYet, .notFound:
            guard answer.authenticated else { return decidedUnanswered }
            var tally = progress.absent ?? .init(count: 0, since: begunAt)
            if tally.since > begunAt { tally = .init(count: 0, since: begunAt) }
            tally.count = min(tally.count + 1, 1_000)
            let left = Self.tallySpread - (begunAt - tally.since)
            guard tally.count >= 2, left <= .zero else {
                return OrderDecision(
                    .recheck, next: .after(left + Self.margin), reason: answer.state.rawValue,
                    progress: OrderProgress(absent: tally))
            }
            var absent = review(OrderReason.paidButAbsent)
            absent.change?.status = order.status
            return absent
        case .paid, .refunded, .disputed:
            guard answer.authenticated else { return decidedUnanswered }
            let change = OrderChange(
                status: order.status, gatewayState: answer.gatewayState, reviewReason: order.reviewReason,
                verified: true)
            return OrderDecision(.settled, next: .rest, change: change, reason: answer.state.rawValue)
        case .unknown, .configError: return decidedUnanswered
        }
    }

    // MARK: review

    /// Someone nudged a row that waits for a human: only full proof of payment decides it, and only where the machine
    /// had merely run out of time.
    private var reviewed: OrderDecision {
        let mayDecide = [OrderReason.gaveUp, OrderReason.notFoundAfterGrace, OrderReason.poison]
            .contains(order.reviewReason)
        if answer.state == .paid, mayDecide, proof.isComplete {
            return OrderDecision(.settled, next: .rest, change: paidChange, reason: answer.state.rawValue)
        }
        if answer.state == .unknown { return decidedUnanswered }
        return OrderDecision(.review, next: .rest, reason: answer.state.rawValue)
    }

    // MARK: parts

    private var giveUpAt: Timestamp { isProbe ? .distantFuture : policy.giveUpAt(order) }
    private var isPastGiveUp: Bool { begunAt >= giveUpAt }

    private var proof: OrderProof {
        OrderProof(order, answer, policy.requirements, isDuplicate: isDuplicate)
    }

    private var paidChange: OrderChange {
        OrderChange(
            status: "paid", paidAt: answer.paidAt ?? begunAt, gatewayTxnID: answer.txn,
            gatewayState: answer.gatewayState)
    }

    /// A review never writes the transaction's column: it could collide there with the order that rightly holds it.
    private func review(_ reason: String, _ proof: OrderProof? = nil) -> OrderDecision {
        let change = OrderChange(
            status: "review", gatewayState: answer.gatewayState, reviewReason: reason,
            reviewDetail: reviewDetail(reason, proof))
        return OrderDecision(.review, next: .rest, change: change, reason: reason)
    }

    private func reviewDetail(_ reason: String, _ proof: OrderProof?) -> String {
        var expected = JSONObjectText()
        expected.add("amount_minor", order.amountMinor)
        expected.add("currency", order.currency)
        expected.add("merchant", policy.requirements.merchant)
        var detail = JSONObjectText()
        detail.add("status_before", order.status)
        detail.add("expected", object: expected)
        detail.add("answer", object: answer.jsonObject)
        detail.add("also", proof?.differences.filter { $0 != reason } ?? [])
        detail.add("lacking", proof?.lacking ?? [])
        return detail.text
    }

    private func failed(next: Next) -> OrderDecision {
        // Silence says nothing about the order, so what was counted stands; anything else interrupts the count.
        let isSilence = answer.failure?.isSilence ?? false
        return OrderDecision(
            .failed, next: next, reason: Answer.State.unknown.rawValue, error: failureText,
            progress: isSilence ? progress : .init())
    }

    private var failureText: String {
        if let failure = answer.failure { return failure.problem }
        let lacking = answer.state == .paid ? proof.lacking : ["authentication"]
        return "The gateway says \(answer.state.rawValue), but its answer lacks \(lacking.joined(separator: ", "))."
    }
}
