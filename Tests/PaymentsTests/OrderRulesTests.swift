import JSON
import Reconciling
import Testing
import Timeline

@testable import Payments

/// One test for each row of the decision table.
@Suite struct OrderRulesTests {
    private func decide(
        _ order: Order, _ answer: Answer, at begunAt: Timestamp = Sample.early, policy: OrderPolicy = Sample.policy,
        progress: OrderProgress = .init(), failureCount: Int = 0, isDuplicate: Bool = false
    ) -> OrderDecision {
        OrderRules.decide(
            order, answer, policy: policy, begunAt: begunAt, progress: progress, failureCount: failureCount,
            isDuplicate: isDuplicate)
    }

    private func decide(
        _ answer: Answer, at begunAt: Timestamp = Sample.early, policy: OrderPolicy = Sample.policy,
        progress: OrderProgress = .init(), isDuplicate: Bool = false
    ) -> OrderDecision {
        decide(
            Sample.order(), answer, at: begunAt, policy: policy, progress: progress, isDuplicate: isDuplicate)
    }

    // MARK: pending, PAID

    @Test(arguments: [Sample.early, Sample.expired, Sample.late])
    func fullProofIsPaidAtAnyTime(begunAt: Timestamp) {
        let decision = decide(Sample.paid, at: begunAt)
        #expect(decision.verdict == .settled)
        #expect(decision.next == .rest)
        #expect(
            decision.change
                == OrderChange(
                    status: "paid", paidAt: begunAt, gatewayTxnID: "txn-1", gatewayState: "word"))
        #expect(decision.contradictedBy == ["cancelled", "closed"])
    }

    @Test func paidAtIsTheGatewaysWhereItSaysSo() {
        var answer = Sample.paid
        answer.paidAt = Sample.created
        #expect(decide(answer).change?.paidAt == Sample.created)
    }

    private struct Bend: Sendable, CustomTestStringConvertible {
        var reason: String
        var bend: @Sendable (inout Answer) -> Void
        var testDescription: String { reason }
    }

    // In the documented order of precedence.
    private static let bends: [Bend] = [
        Bend(reason: "DISPUTED") { $0.isDisputed = true },
        Bend(reason: "REFUNDED") { $0.refundedMinor = 1 },
        Bend(reason: "PARTIAL") { $0.gatewayAmount = 2_500 },
        Bend(reason: "ORDER_MISMATCH") { $0.orderReference = .value("pi_2") },
        Bend(reason: "MERCHANT_MISMATCH") { $0.merchant = .value("m-2") },
        Bend(reason: "CURRENCY_MISMATCH") { $0.currency = .value("USD") },
        Bend(reason: "AMOUNT_MISMATCH") {
            $0.amountReceived = .value(1_998)
            if $0.gatewayAmount == 1_999 { $0.gatewayAmount = 1_998 }
        },
    ]

    @Test(arguments: bends.indices) func oneDifferenceIsThatReason(index: Int) {
        var answer = Sample.paid
        Self.bends[index].bend(&answer)
        let decision = decide(answer)
        #expect(decision.verdict == .review)
        #expect(decision.next == .rest)
        #expect(decision.change?.status == "review")
        #expect(decision.change?.reviewReason == Self.bends[index].reason)
        #expect(decision.change?.gatewayTxnID == nil)
    }

    @Test(arguments: bends.indices) func theFirstReasonWinsAndTheOthersAreDetail(first: Int) throws {
        var answer = Sample.paid
        for bend in Self.bends[first...] { bend.bend(&answer) }
        let change = try #require(decide(answer, isDuplicate: true).change)
        #expect(change.reviewReason == Self.bends[first].reason)
        let detail = try JSONValue(parsing: try #require(change.reviewDetail))
        let others = Self.bends[(first + 1)...].map { JSONValue.string($0.reason) } + [.string("DUPLICATE")]
        #expect(detail["also"] == .array(others))
        #expect(detail["expected"]?["amount_minor"]?.integer == 1_999)
        #expect(detail["answer"]?["gateway_txn_id"]?.string == "txn-1")
    }

    @Test func moreThanTheGatewayAskedForIsOverpaid() {
        var answer = Sample.paid
        answer.amountReceived = .value(2_100)
        #expect(decide(answer).change?.reviewReason == "OVERPAID")
    }

    @Test func aTransactionOfAnotherOrderIsDuplicate() {
        let change = decide(Sample.paid, isDuplicate: true).change
        #expect(change?.reviewReason == "DUPLICATE")
        #expect(change?.gatewayTxnID == nil)
        #expect(change?.reviewDetail?.contains("txn-1") == true)
    }

    @Test(arguments: [Answer.State.refunded, .disputed], [Sample.early, Sample.late])
    func refundedAndDisputedAreReviewed(state: Answer.State, begunAt: Timestamp) {
        #expect(decide(Sample.answer(state), at: begunAt).change?.reviewReason == state.rawValue)
    }

    @Test func aPaymentWithoutProofIsUnknown() {
        var unproven: [Answer] = [Sample.answer(.paid, authenticated: false)]
        for field in [Answer.Field<String>.absent, .unreadable] {
            for path in [\Answer.currency, \.merchant, \.orderReference] {
                var answer = Sample.paid
                answer[keyPath: path] = field
                unproven.append(answer)
            }
        }
        for field in [Answer.Field<Int64>.absent, .unreadable] {
            var answer = Sample.paid
            answer.amountReceived = field
            unproven.append(answer)
        }
        for answer in unproven {
            let decision = decide(answer)
            #expect(decision.verdict == .failed)
            #expect(decision.next == .backoff)
            #expect(decision.change == nil)
            #expect(decision.error?.isEmpty == false)
            #expect(decide(answer, at: Sample.late).change?.reviewReason == "GAVE_UP")
        }
    }

    // MARK: pending, others

    @Test func notPaidYetIsAskedAgainByCadence() {
        let decision = decide(Sample.order(expiresAt: nil), Sample.answer(.notPaidYet))
        #expect(decision.verdict == .recheck)
        #expect(decision.next == .cadence)
        #expect(decision.change == nil)
        #expect(decision.contradictedBy.isEmpty)
    }

    @Test func aRecheckComesNoLaterThanTheOrdersOwnTimes() {
        // Behind all steps the cadence is half an hour; the order expires in ten minutes.
        let begunAt = Sample.expires - .seconds(600)
        #expect(decide(Sample.answer(.notPaidYet), at: begunAt).next == .after(.seconds(601)))
        let givesUp = Sample.order(expiresAt: nil, giveUpAt: Sample.expires)
        #expect(decide(givesUp, Sample.answer(.notPaidYet), at: begunAt).next == .after(.seconds(601)))
    }

    @Test func notPaidYetAfterExpiryIsClosedAtTheGatewayWhereAllowed() {
        let answer = Sample.answer(.notPaidYet)
        #expect(!decide(answer, at: Sample.expired).closesAtGateway)
        #expect(decide(answer, at: Sample.expired).verdict == .recheck)
        var policy = Sample.policy
        policy.closesAtGateway = true
        #expect(decide(answer, at: Sample.expired, policy: policy).closesAtGateway)
        #expect(!decide(answer, at: Sample.early, policy: policy).closesAtGateway)
        #expect(!decide(Sample.order(expiresAt: nil), answer, at: Sample.late, policy: policy).closesAtGateway)
        #expect(
            !decide(
                Sample.answer(.notPaidYet, authenticated: false), at: Sample.expired, policy: policy
            ).closesAtGateway)
        var underWay = answer
        underWay.isClosable = false
        #expect(!decide(underWay, at: Sample.expired, policy: policy).closesAtGateway)
    }

    @Test func closedNeedsAuthentication() {
        let decision = decide(Sample.answer(.closed))
        #expect(decision.verdict == .settled)
        #expect(decision.next == .rest)
        #expect(decision.change?.status == "closed")
        let doubtful = decide(Sample.answer(.closed, authenticated: false))
        #expect(doubtful.verdict == .failed)
        #expect(doubtful.change == nil)
    }

    @Test func notFoundBeforeExpiryMayStillAppear() {
        let decision = decide(Sample.answer(.notFound))
        #expect(decision.verdict == .recheck)
        #expect(decision.progress.notFound == nil)
    }

    @Test(arguments: [true, false]) func notFoundThriceOverTenMinutesCloses(expires: Bool) throws {
        let order = Sample.order(expiresAt: expires ? Sample.expires : nil)
        var begunAt = expires ? Sample.expires : Sample.givesUp
        let start = begunAt
        var progress = OrderProgress()
        for _ in 1...2 {
            let decision = decide(order, Sample.answer(.notFound), at: begunAt, progress: progress)
            #expect(decision.verdict == .recheck)
            guard case .after(let wait) = decision.next else { Issue.record("not planned"); return }
            progress = OrderProgress(json: decision.progress.json)
            begunAt = begunAt + wait
        }
        #expect(begunAt - start >= OrderRules.tallySpread)
        let decision = decide(order, Sample.answer(.notFound), at: begunAt, progress: progress)
        #expect(decision.change?.status == "closed")
        #expect(decision.reason == "NOT_FOUND")
    }

    @Test func manyNotFoundInAShortTimeDoNotClose() {
        var progress = OrderProgress()
        for second in 0..<20 {
            let begunAt = Sample.expired + .seconds(second * 31)
            let decision = decide(Sample.answer(.notFound), at: begunAt, progress: progress)
            progress = decision.progress
            #expect((decision.change?.status == "closed") == (second * 31 >= 600), "after \(second * 31) s")
            if decision.change != nil { return }
        }
    }

    @Test func pastGiveUpOnlyACompleteTallyCloses() {
        let complete = OrderProgress(notFound: .init(count: 2, since: Sample.late - .seconds(600)))
        #expect(decide(Sample.answer(.notFound), at: Sample.late, progress: complete).change?.status == "closed")
        for (count, age) in [(2, 599), (1, 600), (9, 10)] {
            let progress = OrderProgress(notFound: .init(count: count, since: Sample.late - .seconds(age)))
            let change = decide(Sample.answer(.notFound), at: Sample.late, progress: progress).change
            #expect(change?.reviewReason == "GAVE_UP")
        }
    }

    @Test func anotherAnswerClearsTheTallyAndSilenceDoesNot() {
        let progress = OrderProgress(notFound: .init(count: 2, since: Sample.expired))
        let later = Sample.expired + .seconds(700)
        #expect(decide(Sample.answer(.notPaidYet), at: later, progress: progress).progress.notFound == nil)
        #expect(decide(Sample.garbage, at: later, progress: progress).progress.notFound == nil)
        #expect(
            decide(
                Sample.answer(.notFound, authenticated: false), at: later, progress: progress
            ).progress.notFound == nil)
        #expect(decide(Sample.timeout, at: later, progress: progress).progress == progress)
    }

    @Test func notFoundUnauthenticatedNeverCloses() {
        let answer = Sample.answer(.notFound, authenticated: false)
        let progress = OrderProgress(notFound: .init(count: 9, since: Sample.created))
        #expect(decide(answer, at: Sample.expired, progress: progress).verdict == .recheck)
        #expect(decide(answer, at: Sample.late, progress: progress).change?.reviewReason == "NOT_FOUND_AFTER_GRACE")
    }

    @Test func unknownKeepsTheOrder() {
        for answer in [Sample.timeout, Sample.garbage] {
            let decision = decide(answer)
            #expect(decision.verdict == .failed)
            #expect(decision.next == .backoff)
            #expect(decision.change == nil)
        }
    }

    @Test func aCheckBegunAfterGiveUpThatDoesNotDecideGivesUp() {
        let undecided = [
            Sample.timeout, Sample.garbage, Sample.answer(.notPaidYet), Sample.answer(.notFound),
            Sample.answer(.paid, authenticated: false), Sample.answer(.closed, authenticated: false),
        ]
        for answer in undecided {
            let decision = decide(answer, at: Sample.late)
            #expect(decision.verdict == .review, "\(answer.state)")
            #expect(decision.change?.reviewReason == "GAVE_UP")
            #expect(decide(answer, at: Sample.givesUp - .seconds(1)).change == nil)
        }
        #expect(decide(Sample.answer(.closed), at: Sample.late).change?.status == "closed")
        let own = Sample.order(giveUpAt: Sample.early)
        #expect(decide(own, Sample.timeout, at: Sample.early).change?.reviewReason == "GAVE_UP")
    }

    @Test(arguments: ["pending", "paid", "closed", "cancelled", "review", "shipped"])
    func aConfigurationErrorHandsTheRowBack(status: String) {
        let decision = decide(Sample.order(status: status), .configError("401"), at: Sample.late)
        #expect(decision.next == .handBack)
        #expect(decision.change == nil)
    }

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
