import Reconciling
import Timeline

/// Decides when a delivery is made, and what an endpoint's answer means.
public enum DeliveryRules {
    /// How long after each failure in a row the next attempt is made; after one more a human decides. Ten attempts in
    /// three days. Source: Standard Webhooks, "Deliverability and reliability".
    public static let delays: [Duration] = [
        .seconds(5), .seconds(300), .seconds(1_800), .seconds(7_200), .seconds(18_000), .seconds(36_000),
        .seconds(50_400), .seconds(72_000), .seconds(86_400),
    ]
    /// One that waits for an earlier one looks again after this at the latest.
    static var orderPatienceMax: Duration { .seconds(3_600) }

    /// What a check begins with.
    public enum Beginning: Hashable, Sendable {
        case send
        /// An earlier one of the subject is pending: to be looked at again after this.
        case wait(Duration)
        /// There is nothing to send.
        case rest
    }

    /// What came of a call.
    public enum Outcome: Hashable, Sendable {
        case unanswered
        /// - Parameter wait: how long the endpoint asks to be left alone.
        case answered(Int, wait: Duration? = nil)

        var statusCode: Int? { if case .answered(let code, _) = self { code } else { nil } }
        var wait: Duration? { if case .answered(_, let wait) = self { wait } else { nil } }
    }

    /// The end of the earlier one makes this one due, so a wait only covers what that may miss: it begins at a second,
    /// and grows with the delivery's age to a minute after the earlier one's next attempt.
    public static func begin(_ delivery: Delivery, createdAt: Timestamp, now: Timestamp) -> Beginning {
        switch delivery.status {
        case "pending":
            guard let earlier = delivery.waitsFor else { return .send }
            let patience = min(max(now - createdAt, .seconds(1)), .seconds(60))
            return .wait(min(max(earlier - now, .zero) + patience, orderPatienceMax))
        // Nudged: tried once, whatever else of its subject was delivered meanwhile.
        case "review": return .send
        default: return .rest
        }
    }

    /// - Parameters:
    ///   - failureCount: attempts that failed in a row before this one.
    ///   - spread: anything from 0 to 1, at random: many that failed together are not to come back together.
    public static func decide(
        _ delivery: Delivery, _ outcome: Outcome, failureCount: Int, spread: Double
    ) -> DeliveryDecision {
        if let code = outcome.statusCode, (200...299).contains(code) {
            return DeliveryDecision(.settled, next: .rest, status: "delivered", reason: "DELIVERED")
        }
        if delivery.status == "review" { return DeliveryDecision(.failed, next: .rest, status: nil) }
        if outcome.statusCode == 410 { return .review("GONE") }
        guard failureCount < delays.count else { return .review("UNDELIVERED") }
        let delay = delays[max(failureCount, 0)] * (0.9 + 0.2 * spread)
        let wait = min(outcome.wait ?? .zero, LaneSignal.retryAfterMax)
        return DeliveryDecision(.failed, next: .after(max(delay, wait)), status: "pending")
    }
}

/// What an attempt leads to.
public struct DeliveryDecision: Hashable, Sendable {
    public var verdict: Verdict
    public var next: Next
    /// Nil keeps it, with its reason for review.
    public var status: String?
    public var reason: String?
    public var reviewReason: String?

    init(_ verdict: Verdict, next: Next, status: String?, reason: String? = nil, reviewReason: String? = nil) {
        self.verdict = verdict
        self.next = next
        self.status = status
        self.reason = reason
        self.reviewReason = reviewReason
    }

    static func review(_ reason: String) -> DeliveryDecision {
        DeliveryDecision(.review, next: .rest, status: "review", reason: reason, reviewReason: reason)
    }
}
