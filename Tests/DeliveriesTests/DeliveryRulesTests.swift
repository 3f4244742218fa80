import Reconciling
import TestSupport
import Testing
import Timeline

@testable import Deliveries

@Suite struct DeliveryRulesTests {
    private static let created = Timestamp("2026-11-01T00:00:00Z")!

    private func delivery(_ status: String = "pending", waitsFor: Timestamp? = nil) -> Delivery {
        Delivery(
            id: "1", endpoint: "shop", eventID: "evt_1", eventType: "order.paid", subject: "orders/A-1", payload: "{}",
            status: status, waitsFor: waitsFor)
    }

    // MARK: the table

    struct Row: CustomStringConvertible, Sendable {
        var status = "pending"
        var outcome: DeliveryRules.Outcome
        var failures = 0
        var verdict: Verdict
        var next: Next
        var after: String?
        var reason: String?

        var description: String { "\(status) \(outcome) after \(failures)" }
    }

    static let table: [Row] = [
        .init(outcome: .answered(200), verdict: .settled, next: .rest, after: "delivered", reason: "DELIVERED"),
        .init(
            outcome: .answered(204), failures: 9, verdict: .settled, next: .rest, after: "delivered",
            reason: "DELIVERED"),
        .init(outcome: .answered(299), verdict: .settled, next: .rest, after: "delivered", reason: "DELIVERED"),
        .init(outcome: .unanswered, verdict: .failed, next: .after(.seconds(5)), after: "pending"),
        .init(outcome: .answered(302), verdict: .failed, next: .after(.seconds(5)), after: "pending"),
        .init(outcome: .answered(404), failures: 1, verdict: .failed, next: .after(.seconds(300)), after: "pending"),
        .init(outcome: .answered(500), failures: 8, verdict: .failed, next: .after(.seconds(86_400)), after: "pending"),
        .init(
            outcome: .answered(500), failures: 9, verdict: .review, next: .rest, after: "review", reason: "UNDELIVERED"),
        .init(
            outcome: .unanswered, failures: 30, verdict: .review, next: .rest, after: "review", reason: "UNDELIVERED"),
        .init(outcome: .answered(410), verdict: .review, next: .rest, after: "review", reason: "GONE"),
        .init(
            outcome: .answered(503, wait: .seconds(120)), verdict: .failed, next: .after(.seconds(120)),
            after: "pending"),
        .init(
            outcome: .answered(429, wait: .seconds(2)), verdict: .failed, next: .after(.seconds(5)), after: "pending"),
        .init(
            outcome: .answered(429, wait: .seconds(90_000)), verdict: .failed, next: .after(.seconds(3_600)),
            after: "pending"),
        .init(
            status: "review", outcome: .answered(200), verdict: .settled, next: .rest, after: "delivered",
            reason: "DELIVERED"),
        .init(status: "review", outcome: .answered(500), verdict: .failed, next: .rest),
        .init(status: "review", outcome: .answered(410), verdict: .failed, next: .rest),
    ]

    @Test(arguments: table)
    func anAttemptLeadsTo(row: Row) {
        let decision = DeliveryRules.decide(
            delivery(row.status), row.outcome, failureCount: row.failures, spread: 0.5)
        #expect(decision.verdict == row.verdict && decision.next == row.next)
        #expect(decision.status == row.after && decision.reason == row.reason)
        #expect(decision.reviewReason == (row.after == "review" ? row.reason : nil))
    }

    @Test func theScheduleIsThatOfStandardWebhooks() {
        let hours = DeliveryRules.delays.reduce(.zero, +).inSeconds / 3_600
        #expect(DeliveryRules.delays.count == 9 && hours > 72 && hours < 80)
    }

    // MARK: order

    @Test func anEarlierOneIsWaitedFor() {
        func begin(_ delivery: Delivery, age: Duration = .zero) -> DeliveryRules.Beginning {
            DeliveryRules.begin(delivery, createdAt: Self.created, now: Self.created + age)
        }
        #expect(begin(delivery()) == .send)
        #expect(begin(delivery("delivered")) == .rest)
        #expect(begin(delivery("review")) == .send)
        // Under way, it is over soon; the longer it takes, the more seldom this one looks.
        #expect(begin(delivery(waitsFor: Self.created)) == .wait(.seconds(1)))
        #expect(begin(delivery(waitsFor: Self.created), age: .seconds(20)) == .wait(.seconds(20)))
        #expect(begin(delivery(waitsFor: Self.created), age: .seconds(900)) == .wait(.seconds(60)))
        #expect(begin(delivery(waitsFor: Self.created + .seconds(300))) == .wait(.seconds(301)))
        #expect(begin(delivery(waitsFor: Self.created + .seconds(86_400))) == .wait(.seconds(3_600)))
        #expect(begin(delivery(waitsFor: .distantFuture)) == .wait(.seconds(3_600)))
        #expect(begin(delivery(waitsFor: .distantPast)) == .wait(.seconds(1)))
    }

    // MARK: properties

    @Test func whateverIsAnsweredTheDeliveryEndsAndIsNeverTriedInAHurry() {
        let seed = TestSeed.value
        var random = SeededRandom(seed: seed)
        for _ in 0..<2_000 {
            var failures = 0
            var waited = Duration.zero
            attempts: while true {
                let code = Int.random(in: 0...599, using: &random)
                let outcome: DeliveryRules.Outcome =
                    code < 100
                    ? .unanswered
                    : .answered(code, wait: Bool.random(using: &random) ? .seconds(code * code) : nil)
                let decision = DeliveryRules.decide(
                    delivery(), outcome, failureCount: failures, spread: .random(in: 0...1, using: &random))
                switch decision.next {
                case .after(let delay):
                    #expect(decision.status == "pending" && decision.verdict == .failed, "seed \(seed)")
                    #expect(delay >= DeliveryRules.delays[failures] * 0.9, "seed \(seed)")
                    #expect(delay <= max(DeliveryRules.delays[failures] * 1.1, .seconds(3_600)), "seed \(seed)")
                    failures += 1
                    waited += delay
                case .rest:
                    let isDelivered = (200...299).contains(code)
                    #expect(decision.status == (isDelivered ? "delivered" : "review"), "seed \(seed)")
                    #expect(isDelivered || code == 410 || failures == 9, "seed \(seed)")
                    break attempts
                default:
                    Issue.record("\(decision) under seed \(seed)")
                    return
                }
            }
            #expect(failures <= 9 && waited < .seconds(90 * 3_600), "seed \(seed)")
        }
    }
}
