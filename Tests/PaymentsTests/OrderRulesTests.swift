import Reconciling
import Testing
import Timeline

@testable import Payments

/// One test for each row of the decision table: pending orders that are not paid. See also `OrderRulesPaidTests` and
/// `OrderRulesEndTests`.
@Suite struct OrderRulesTests {
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
}
