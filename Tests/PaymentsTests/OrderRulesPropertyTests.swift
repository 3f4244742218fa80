import JSON
import Reconciling
import TestSupport
import Testing
import Timeline

@testable import Payments

/// What holds for every order, answer and instant; the seed is printed with a failure and set by RECONCILED_TEST_SEED.
@Suite struct OrderRulesPropertyTests {
    private struct Question {
        var order: Order
        var answer: Answer
        var policy: OrderPolicy
        var begunAt: Timestamp
        var progress: OrderProgress
        var isProbe: Bool
        var isDuplicate: Bool
        var decision: OrderDecision {
            OrderRules.decide(
                order, answer, policy: policy, begunAt: begunAt, progress: progress, isProbe: isProbe,
                isDuplicate: isDuplicate)
        }
    }

    private func forAll(_ check: (Question) -> Void) {
        let seed = TestSeed.value
        var random = SeededRandom(seed: seed)
        for _ in 0..<20_000 {
            let question = question(&random)
            check(question)
        }
    }

    private func question(_ random: inout SeededRandom) -> Question {
        let instants = [Sample.early, Sample.expires, Sample.expired, Sample.givesUp, Sample.late]
        func field<Value>(_ right: Value, _ wrong: Value) -> Answer.Field<Value> {
            switch Int.random(in: 0..<32, using: &random) {
            case 0: .absent
            case 1: .unreadable
            case 2: .value(wrong)
            default: .value(right)
            }
        }
        let order = Sample.order(
            status: ["pending", "pending", "pending", "paid", "closed", "cancelled", "review", "foreign"]
                .randomElement(using: &random)!,
            expiresAt: [nil, Sample.expires].randomElement(using: &random)!,
            giveUpAt: [nil, Sample.expired].randomElement(using: &random)!,
            reviewReason: [nil, "GAVE_UP", "POISON", "AMOUNT_MISMATCH"].randomElement(using: &random)!)
        var answer = Answer(
            Answer.State.allCases.randomElement(using: &random)!,
            authenticated: Int.random(in: 0..<4, using: &random) > 0,
            amountReceived: field(1_999, 1_998), gatewayAmount: [nil, 1_999, 2_000].randomElement(using: &random)!,
            currency: field("EUR", "USD"), merchant: field("m-1", "m-2"), orderReference: field("pi_1", "pi_2"),
            txn: [nil, "t"].randomElement(using: &random)!,
            refundedMinor: [nil, nil, nil, 5].randomElement(using: &random)!,
            isDisputed: Int.random(in: 0..<8, using: &random) == 0, isClosable: Bool.random(using: &random))
        if answer.state == .unknown { answer.failure = Bool.random(using: &random) ? .timeout : Sample.garbage.failure }
        if answer.state == .configError { answer.failure = AnswerFailure(.configuration, problem: "key") }
        var policy = Sample.policy
        policy.closesAtGateway = Bool.random(using: &random)
        policy.reverifiesPaid = Bool.random(using: &random)
        let tally = OrderProgress.Tally(count: Int.random(in: 1...4, using: &random), since: Sample.early)
        return Question(
            order: order, answer: answer, policy: policy, begunAt: instants.randomElement(using: &random)!,
            progress: Bool.random(using: &random) ? .init() : .init(notFound: tally, absent: tally),
            isProbe: Int.random(in: 0..<4, using: &random) == 0,
            isDuplicate: Int.random(in: 0..<8, using: &random) == 0)
    }

    @Test func aProbeGivesNothingUp() {
        forAll { question in
            guard question.isProbe, let reason = question.decision.change?.reviewReason else { return }
            #expect(
                !["GAVE_UP", "NOT_FOUND_AFTER_GRACE"].contains(reason) || question.order.reviewReason == reason,
                "seed \(TestSeed.value): \(question)")
        }
    }

    @Test func onlyAPaymentOfAnotherOrderIsHeeded() {
        forAll { question in
            guard question.answer.orderReference == .value("pi_2"), question.answer.state != .paid else { return }
            let decision = question.decision
            #expect(!decision.closesAtGateway, "seed \(TestSeed.value): \(question)")
            #expect(
                decision.change == nil || decision.change?.reviewReason == "GAVE_UP",
                "seed \(TestSeed.value): \(question)")
        }
    }

    @Test func paidNeedsEveryProof() {
        var count = 0
        forAll { question in
            guard question.decision.change?.status == "paid", question.order.status != "paid" else { return }
            count += 1
            let answer = question.answer
            let isProven =
                answer.state == .paid && answer.authenticated && !answer.isDisputed
                && answer.refundedMinor == nil && answer.amountReceived == .value(1_999)
                && (answer.gatewayAmount ?? 1_999) == 1_999 && answer.currency == .value("EUR")
                && answer.merchant == .value("m-1") && answer.orderReference == .value("pi_1")
                && !question.isDuplicate
            #expect(isProven, "seed \(TestSeed.value): \(question)")
            #expect(["pending", "review"].contains(question.order.status), "seed \(TestSeed.value): \(question)")
        }
        #expect(count > 100, "the property was hardly tried; seed \(TestSeed.value)")
    }

    @Test func noAnswerChangesNoStatusButToGiveUp() {
        forAll { question in
            guard [.unknown, .configError].contains(question.answer.state) else { return }
            let change = question.decision.change
            #expect(change == nil || change?.reviewReason == "GAVE_UP", "seed \(TestSeed.value): \(question)")
            if question.answer.state == .configError {
                #expect(change == nil && question.decision.next == .handBack, "seed \(TestSeed.value): \(question)")
            }
        }
    }

    @Test func paidIsNeverLeft() {
        forAll { question in
            guard question.order.status == "paid", let change = question.decision.change else { return }
            #expect(change.status == "paid", "seed \(TestSeed.value): \(question)")
        }
    }

    @Test func closedNeedsAnAuthenticatedAnswer() {
        forAll { question in
            guard question.decision.change?.status == "closed" else { return }
            #expect(
                question.answer.authenticated && [.closed, .notFound].contains(question.answer.state)
                    && question.order.status == "pending", "seed \(TestSeed.value): \(question)")
        }
    }

    @Test func onlyOurStatusesAreTouchedAndAReviewIsExplained() {
        forAll { question in
            let decision = question.decision
            if question.order.status == "foreign" {
                #expect(decision.change == nil, "seed \(TestSeed.value): \(question)")
            }
            guard let change = decision.change else { return }
            #expect(["paid", "closed", "review"].contains(change.status), "seed \(TestSeed.value): \(question)")
            #expect(
                change.status != "review" || (change.reviewReason != nil && decision.verdict == .review),
                "seed \(TestSeed.value): \(question)")
            if let detail = change.reviewDetail {
                #expect(throws: Never.self) { try JSONValue(parsing: detail) }
            }
        }
    }

    /// A pending order is never put to rest without a change, and each failed check waits.
    @Test func aPendingOrderIsDecidedOrAskedAgain() {
        forAll { question in
            guard question.order.status == "pending" else { return }
            let decision = question.decision
            #expect((decision.next == .rest) == (decision.change != nil), "seed \(TestSeed.value): \(question)")
            if case .after(let wait) = decision.next {
                #expect(wait > .zero, "seed \(TestSeed.value): \(question)")
            }
        }
    }
}
