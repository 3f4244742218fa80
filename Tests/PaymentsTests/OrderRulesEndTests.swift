import Reconciling
import Testing
import Timeline

@testable import Payments

/// One test for each row of the decision table: orders that are decided already, or are not ours to decide.
@Suite struct OrderRulesEndTests {
    // MARK: cancelled, closed

    @Test(arguments: ["cancelled", "closed"]) func aLatePaymentIsReviewed(status: String) {
        var answer = Sample.paid
        #expect(decide(Sample.order(status: status), answer).change?.reviewReason == "PAID_LATE")
        answer.currency = .value("USD")
        let change = decide(Sample.order(status: status), answer).change
        #expect(change?.reviewReason == "PAID_LATE")
        #expect(change?.reviewDetail?.contains("CURRENCY_MISMATCH") == true)
        let doubtful = decide(Sample.order(status: status), Sample.answer(.paid, authenticated: false))
        #expect(doubtful.change == nil)
        #expect(doubtful.next == .backoff)
    }

    @Test(arguments: ["cancelled", "closed"], [Answer.State.notPaidYet, .closed, .notFound, .refunded])
    func anEndedOrderThatWasNotPaidRests(status: String, state: Answer.State) {
        let decision = decide(Sample.order(status: status), Sample.answer(state))
        #expect(decision.verdict == .settled)
        #expect(decision.next == .rest)
        #expect(decision.change == nil)
    }

    @Test(arguments: ["cancelled", "closed"]) func anEndedOrderBacksOffUntilGiveUp(status: String) {
        #expect(decide(Sample.order(status: status), Sample.timeout).next == .backoff)
        let late = decide(Sample.order(status: status), Sample.timeout, at: Sample.late)
        #expect(late.next == .rest)
        #expect(late.change == nil)
    }

    // MARK: paid

    @Test func aPaidOrderIsNotAskedAbout() {
        let decision = OrderRules.unasked(Sample.order(status: "paid"), policy: Sample.policy, progress: .init())
        #expect(decision?.verdict == .settled)
        #expect(decision?.next == .rest)
        #expect(decision?.change == nil)
        #expect(OrderRules.unasked(Sample.order(), policy: Sample.policy, progress: .init()) == nil)
    }

    @Test(arguments: [Answer.State.closed, .notPaidYet, .notFound])
    func aPaidOrderThatIsAbsentTwiceIsShownToAHuman(state: Answer.State) {
        var policy = Sample.policy
        policy.reverifiesPaid = true
        let order = Sample.order(status: "paid")
        #expect(OrderRules.unasked(order, policy: policy, progress: .init()) == nil)
        let first = decide(order, Sample.answer(state), policy: policy)
        #expect(first.next == .after(.seconds(601)))
        let soon = decide(
            order, Sample.answer(state), at: Sample.early + .seconds(300), policy: policy, progress: first.progress)
        #expect(soon.change == nil)
        let second = decide(
            order, Sample.answer(state), at: Sample.early + .seconds(601), policy: policy, progress: soon.progress)
        #expect(second.change?.status == "paid")
        #expect(second.change?.reviewReason == "PAID_BUT_ABSENT")
        #expect(second.next == .rest)
        #expect(decide(order, Sample.timeout, policy: policy).next == .backoff)
        #expect(decide(order, Sample.timeout, at: Sample.late, policy: policy).next == .backoff)
        let enough = OrderRules.reviewFailureCountMax
        #expect(decide(order, Sample.timeout, at: Sample.late, policy: policy, failureCount: enough).next == .rest)
        let verified = decide(order, Sample.paid, policy: policy)
        #expect(verified.change?.verified == true)
        #expect(verified.change?.status == "paid")
    }

    // MARK: review

    @Test(arguments: ["GAVE_UP", "NOT_FOUND_AFTER_GRACE", "POISON"])
    func proofEndsAReviewThatOnlyRanOutOfTime(reason: String) {
        let order = Sample.order(status: "review", reviewReason: reason)
        let decision = decide(order, Sample.paid, at: Sample.late)
        #expect(decision.change?.status == "paid")
        #expect(decision.change?.reviewReason == nil)
        #expect(decide(order, Sample.paid, isDuplicate: true).change == nil)
    }

    @Test func anythingElseKeepsTheReview() {
        for reason in ["AMOUNT_MISMATCH", "PAID_LATE", nil] {
            #expect(decide(Sample.order(status: "review", reviewReason: reason), Sample.paid).change == nil)
        }
        let order = Sample.order(status: "review", reviewReason: "GAVE_UP")
        for state in [Answer.State.closed, .notPaidYet, .notFound, .refunded, .disputed] {
            let decision = decide(order, Sample.answer(state), at: Sample.late)
            #expect(decision.change == nil)
            #expect(decision.next == .rest)
        }
        #expect(decide(order, Sample.timeout, at: Sample.late).next == .backoff)
        #expect(decide(order, Sample.timeout, failureCount: OrderRules.reviewFailureCountMax).next == .rest)
    }

    // MARK: another order's answer

    @Test(arguments: ["pending", "cancelled", "closed", "paid"], [Answer.Field.value("pi_2"), .unreadable])
    func anAnswerAboutAnotherOrderIsNone(status: String, reference: Answer.Field<String>) {
        var policy = Sample.policy
        policy.reverifiesPaid = true
        policy.closesAtGateway = true
        let order = Sample.order(status: status)
        for state in [Answer.State.closed, .notFound, .refunded, .disputed, .notPaidYet] {
            var answer = Sample.answer(state)
            answer.orderReference = reference
            let decision = decide(order, answer, at: Sample.expired, policy: policy)
            #expect(decision.verdict == .failed, "\(state)")
            #expect(decision.next == .backoff)
            #expect(decision.change == nil)
            #expect(!decision.closesAtGateway)
            #expect(decision.error?.contains("another order") == true)
            // Where answers are not configured to name the order, what they say there means nothing.
            policy.requirements.reference = .none
            #expect(decide(order, answer, at: Sample.expired, policy: policy).verdict != .failed, "\(state)")
            policy.requirements = Sample.policy.requirements
        }
    }

    @Test func anotherOrdersPaymentVerifiesNothing() {
        var policy = Sample.policy
        policy.reverifiesPaid = true
        var answer = Sample.paid
        answer.orderReference = .value("pi_2")
        let decision = decide(Sample.order(status: "paid"), answer, policy: policy)
        #expect(decision.change == nil)
        #expect(decision.next == .backoff)
        #expect(decide(Sample.order(status: "closed"), answer).change?.reviewReason == "PAID_LATE")
    }

    // MARK: untouched

    @Test func aForeignStatusIsNeverTouched() {
        let order = Sample.order(status: "shipped")
        #expect(OrderRules.unasked(order, policy: Sample.policy, progress: .init())?.reason == "FOREIGN_STATUS")
        #expect(decide(order, Sample.paid, at: Sample.late).change == nil)
    }

    @Test func anOrderBeforeTheCutOffRestsOnce() {
        var policy = Sample.policy
        policy.cutOff = Sample.early
        let decision = OrderRules.unasked(Sample.order(), policy: policy, progress: .init())
        #expect(decision?.reason == "CUT_OFF")
        #expect(decision?.next == .rest)
        #expect(decision?.change == nil)
        #expect(decision?.progress == OrderProgress(isCutOff: true))
        #expect(OrderRules.unasked(Sample.order(), policy: policy, progress: .init(isCutOff: true)) == nil)
        #expect(OrderRules.unasked(Sample.order(status: "review"), policy: policy, progress: .init()) == nil)
        policy.cutOff = Sample.created
        #expect(OrderRules.unasked(Sample.order(), policy: policy, progress: .init()) == nil)
    }
}
