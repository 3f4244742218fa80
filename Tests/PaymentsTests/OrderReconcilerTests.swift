import JSON
import Reconciling
import Synchronization
import Testing
import Timeline

@testable import Payments

/// Says what a test wrote down, and remembers what it was told.
private final class ScriptedGateway: Gateway {
    struct Record {
        var answers: [Answer]
        var events: [String] = []
        var outcome: CloseOutcome = .answered
    }

    let record: Mutex<Record>

    init(_ answers: [Answer], outcome: CloseOutcome = .answered) {
        record = Mutex(Record(answers: answers, outcome: outcome))
    }

    func ask(_ order: Order, deadline: Moment) async -> Answer {
        record.withLock {
            $0.events.append("ask")
            return $0.answers.isEmpty ? Sample.timeout : $0.answers.removeFirst()
        }
    }

    func close(_ order: Order, idempotencyKey: String, deadline: Moment) async -> CloseOutcome {
        record.withLock {
            $0.events.append("close \(idempotencyKey)")
            return $0.outcome
        }
    }

    var events: [String] { record.withLock { $0.events } }
}

@Suite struct OrderReconcilerTests {
    private struct LostJournal: Error {}

    private final class Journal: Sendable {
        let written = Mutex<[String]>([])
    }

    private func check(
        _ gateway: ScriptedGateway, _ claim: Claim<Order> = Sample.claim(Sample.order()),
        policy: OrderPolicy = Sample.policy, at now: Timestamp = Sample.early, lease: Duration = .seconds(60),
        isProbe: Bool = false,
        journal: @escaping @Sendable (String) async throws -> Bool = { _ in true }
    ) async -> Conclusion<OrderChange> {
        let reconciler = OrderReconciler(lanes: ["acme": OrderLane(gateway: gateway, policy: policy)])
        let context = CheckContext(
            deadline: .in(.seconds(10)), now: { now }, leaseRemaining: { lease }, journal: journal,
            isProbe: isProbe)
        return await reconciler.check(claim, context: context)
    }

    private var closing: OrderPolicy {
        var policy = Sample.policy
        policy.closesAtGateway = true
        return policy
    }

    @Test func anAnswerBecomesAConclusion() async {
        let conclusion = await check(ScriptedGateway([Sample.paid]))
        #expect(conclusion.verdict == .settled)
        #expect(conclusion.change?.status == "paid")
        #expect(conclusion.reason == "PAID")
        #expect(conclusion.answer == Sample.paid.json)
        #expect(conclusion.contradictedBy == ["cancelled", "closed"])
        #expect(conclusion.laneSignal == .answered)
    }

    @Test func aPaidOrderIsPutToRestUnasked() async {
        let gateway = ScriptedGateway([])
        let conclusion = await check(gateway, Sample.claim(Sample.order(status: "paid")))
        #expect(gateway.events.isEmpty)
        #expect(conclusion.next == .rest)
        #expect(conclusion.change == nil)
        #expect(conclusion.laneSignal == .silent)
    }

    @Test func anOrderOfAnUnknownGatewayIsHandedBack() async {
        var order = Sample.order()
        order.gateway = "elsewhere"
        let conclusion = await check(ScriptedGateway([]), Sample.claim(order))
        #expect(conclusion.next == .handBack)
        guard case .misconfigured = conclusion.laneSignal else { Issue.record("the lane does not know"); return }
    }

    @Test func closingIsJournaledFirstAndTheSecondAnswerDecides() async {
        let gateway = ScriptedGateway([Sample.answer(.notPaidYet), Sample.answer(.closed)])
        let journal = Journal()
        let conclusion = await check(gateway, policy: closing, at: Sample.expired) { progress in
            journal.written.withLock { $0.append(progress) }
            return gateway.events == ["ask"]
        }
        #expect(gateway.events == ["ask", "close reconciled-close-pi_1-7", "ask"])
        #expect(journal.written.withLock { $0 } == [#"{"close_key":"reconciled-close-pi_1-7"}"#])
        #expect(conclusion.change?.status == "closed")
        #expect(conclusion.progress == nil)
    }

    @Test func aPaymentBetweenQuestionAndCloseWins() async {
        let gateway = ScriptedGateway([Sample.answer(.notPaidYet), Sample.paid])
        let conclusion = await check(gateway, policy: closing, at: Sample.expired)
        #expect(conclusion.change?.status == "paid")
    }

    @Test func aLostAnswerToTheCloseKeepsItsKey() async {
        let gateway = ScriptedGateway([Sample.answer(.notPaidYet), Sample.timeout], outcome: .unknown(.timeout))
        let first = await check(gateway, policy: closing, at: Sample.expired)
        #expect(first.change == nil)
        #expect(first.progress == #"{"close_key":"reconciled-close-pi_1-7"}"#)
        let again = ScriptedGateway([Sample.answer(.notPaidYet), Sample.answer(.notPaidYet)])
        var claim = Sample.claim(Sample.order(), progress: first.progress)
        claim.lease = Lease(token: 8)
        let second = await check(again, claim, policy: closing, at: Sample.expired)
        #expect(again.events[1] == "close reconciled-close-pi_1-7")
        #expect(second.verdict == .recheck)
        #expect(second.progress == nil)
    }

    @Test func nothingIsClosedWithoutLeaseOrJournal() async {
        func gateway() -> ScriptedGateway { ScriptedGateway([Sample.answer(.notPaidYet), Sample.answer(.closed)]) }
        let short = gateway()
        let shortConclusion = await check(short, policy: closing, at: Sample.expired, lease: .seconds(10))
        #expect(short.events == ["ask"])
        #expect(shortConclusion.verdict == .recheck)
        let lost = gateway()
        let lostConclusion = await check(lost, policy: closing, at: Sample.expired) { _ in false }
        #expect(lost.events == ["ask"])
        #expect(lostConclusion.next == .handBack)
        let failing = gateway()
        let failed = await check(failing, policy: closing, at: Sample.expired) { _ in throw LostJournal() }
        #expect(failing.events == ["ask"])
        #expect(failed.verdict == .failed)
        #expect(failed.change == nil)
    }

    @Test func aKeyThatMayNotCloseStopsNothingElse() async throws {
        let gateway = ScriptedGateway([Sample.answer(.notPaidYet)], outcome: .misconfigured("403"))
        let conclusion = await check(gateway, policy: closing, at: Sample.expired)
        #expect(gateway.events == ["ask", "close reconciled-close-pi_1-7"])
        #expect(conclusion.verdict == .recheck)
        #expect(conclusion.reason == "NOT_PAID_YET")
        #expect(conclusion.laneSignal == .answered)
        #expect(conclusion.progress == nil)
        let answer = try JSONValue(parsing: try #require(conclusion.answer))
        #expect(answer["close_problem"]?.string == "403")
        #expect(answer["state"]?.string == "NOT_PAID_YET")
        let late = ScriptedGateway([Sample.answer(.notPaidYet)], outcome: .misconfigured("403"))
        #expect(await check(late, policy: closing, at: Sample.late).change?.reviewReason == "GAVE_UP")
    }

    @Test func aProbeGivesNoOrderUp() async {
        for answer in [Sample.timeout, Sample.answer(.notPaidYet), Sample.answer(.notFound, authenticated: false)] {
            let probe = await check(ScriptedGateway([answer]), at: Sample.late, isProbe: true)
            #expect(probe.change == nil, "\(answer.state)")
            #expect(probe.next != .rest)
            #expect(await check(ScriptedGateway([answer]), at: Sample.late).verdict == .review)
        }
    }

    @Test func theCutOffIsRememberedThroughEveryCheck() async {
        var policy = Sample.policy
        policy.cutOff = Sample.early
        // A dry run, or a check before the cut-off was configured: the order was asked about already.
        let before = Sample.claim(Sample.order(), checkCount: 3)
        let cutOff = await check(ScriptedGateway([]), before, policy: policy)
        #expect(cutOff.reason == "CUT_OFF")
        #expect(cutOff.next == .rest)
        #expect(cutOff.progress == #"{"cut_off":true}"#)
        let claim = Sample.claim(Sample.order(), checkCount: 4, progress: cutOff.progress)
        for answer in [Sample.timeout, Sample.answer(.notPaidYet), Sample.answer(.notFound), Sample.paid] {
            let next = await check(ScriptedGateway([answer]), claim, policy: policy)
            #expect(next.reason != "CUT_OFF")
            #expect(next.progress == #"{"cut_off":true}"#, "\(answer.state)")
        }
        for status in ["paid", "shipped"] {
            let rested = Sample.claim(Sample.order(status: status), progress: cutOff.progress)
            #expect(await check(ScriptedGateway([]), rested, policy: policy).progress == #"{"cut_off":true}"#)
        }
        #expect(reconciler.poisoned(claim).progress == #"{"cut_off":true}"#)
        policy.closesAtGateway = true
        let journal = Journal()
        _ = await check(
            ScriptedGateway([Sample.answer(.notPaidYet)]), claim, policy: policy, at: Sample.expired
        ) { progress in
            journal.written.withLock { $0.append(progress) }
            return true
        }
        #expect(
            journal.written.withLock { $0 } == [#"{"close_key":"reconciled-close-pi_1-7","cut_off":true}"#])
    }

    @Test func aDryRunWritesTheScheduleOnlyAndSaysWhatItWould() async throws {
        var policy = closing
        policy.isDryRun = true
        let paid = await check(ScriptedGateway([Sample.paid]), policy: policy)
        #expect(paid.change == nil)
        #expect(paid.verdict == .recheck)
        #expect(paid.next == .cadence)
        #expect(paid.reason == "dry_run")
        #expect(paid.contradictedBy.isEmpty)
        let document = try JSONValue(parsing: try #require(paid.answer))
        #expect(document["would"]?["status"]?.string == "paid")
        #expect(document["state"]?.string == "PAID")
        let gateway = ScriptedGateway([Sample.answer(.notPaidYet)])
        let closing = await check(gateway, policy: policy, at: Sample.expired)
        #expect(gateway.events == ["ask"])
        #expect(try JSONValue(parsing: try #require(closing.answer))["would"]?["close_at_gateway"]?.bool == true)
        let failed = await check(ScriptedGateway([Sample.timeout]), policy: policy)
        #expect(failed.reason == "dry_run")
        #expect(failed.next == .backoff)
    }

    @Test func anInterruptedCheckIsHandedBack() async {
        let interrupted = Answer.unknown(AnswerFailure(.interrupted, problem: "stopping"))
        let conclusion = await check(ScriptedGateway([interrupted]), at: Sample.late)
        #expect(conclusion.next == .handBack)
        #expect(conclusion.change == nil)
        #expect(conclusion.laneSignal == .silent)
    }

    // MARK: refused, poisoned

    private let reconciler = OrderReconciler(lanes: [:])

    @Test func aTransactionHeldByAnotherOrderIsDuplicate() async {
        let conclusion = await check(ScriptedGateway([Sample.paid]))
        let refusal = Refusal(code: "23505", constraint: "orders_gateway_txn_id_key", message: "duplicate key")
        let instead = reconciler.refused(Sample.claim(Sample.order()), conclusion, by: refusal)
        #expect(instead.verdict == .review)
        #expect(instead.change?.status == "review")
        #expect(instead.change?.reviewReason == "DUPLICATE")
        #expect(instead.change?.gatewayTxnID == nil)
        #expect(instead.change?.reviewDetail?.contains("txn-1") == true)
        #expect(instead.contradictedBy == ["cancelled", "closed"])
    }

    /// An adopted table's constraint has a name of its own.
    @Test(arguments: ["shop_orders_txn_uniq", nil]) func theConstraintMayHaveAnyName(constraint: String?) async {
        let conclusion = await check(ScriptedGateway([Sample.paid]))
        let refusal = Refusal(code: "23505", constraint: constraint, message: "duplicate key")
        let claim = Sample.claim(Sample.order())
        #expect(reconciler.refused(claim, conclusion, by: refusal).change?.reviewReason == "DUPLICATE")
        var withoutTxn = conclusion
        withoutTxn.change?.gatewayTxnID = nil
        #expect(reconciler.refused(claim, withoutTxn, by: refusal).change == nil)
    }

    @Test func aPaymentRefusedPastGiveUpGoesToAHuman() async throws {
        let conclusion = await check(ScriptedGateway([Sample.paid]))
        let refusal = Refusal(code: "23514", constraint: "orders_own_check", message: "violates check constraint")
        let reconciler = OrderReconciler(lanes: ["acme": OrderLane(gateway: ScriptedGateway([]))])
        var claim = Sample.claim(Sample.order())
        #expect(reconciler.refused(claim, conclusion, by: refusal).next == .backoff)
        claim.claimedAt = Sample.late
        let instead = reconciler.refused(claim, conclusion, by: refusal)
        #expect(instead.verdict == .review)
        #expect(instead.next == .rest)
        #expect(instead.change?.status == "review")
        #expect(instead.change?.reviewReason == "GAVE_UP")
        let detail = try JSONValue(parsing: try #require(instead.change?.reviewDetail))
        #expect(detail["refusal"]?["constraint"]?.string == "orders_own_check")
        #expect(detail["gateway_txn_id"]?.string == "txn-1")
        #expect(instead.answer == conclusion.answer)
        claim.row.status = "review"
        #expect(reconciler.refused(claim, conclusion, by: refusal).next == .backoff)
        claim.failureCount = OrderRules.reviewFailureCountMax
        #expect(reconciler.refused(claim, conclusion, by: refusal).next == .rest)
    }

    @Test func anotherRefusalBacksOff() async {
        let conclusion = await check(ScriptedGateway([Sample.paid]))
        let refusal = Refusal(code: "23514", constraint: "orders_own_check", message: "violates check constraint")
        let instead = reconciler.refused(Sample.claim(Sample.order()), conclusion, by: refusal)
        #expect(instead.verdict == .failed)
        #expect(instead.next == .backoff)
        #expect(instead.change == nil)
        #expect(instead.error?.contains("orders_own_check") == true)
    }

    @Test func aPoisonedOrderIsReviewedAndKeepsWhatWasDecided() {
        #expect(reconciler.poisoned(Sample.claim(Sample.order())).change?.status == "review")
        for status in ["paid", "closed", "cancelled"] {
            let change = reconciler.poisoned(Sample.claim(Sample.order(status: status))).change
            #expect(change?.status == status)
            #expect(change?.reviewReason == "POISON")
        }
        let review = reconciler.poisoned(Sample.claim(Sample.order(status: "review", reviewReason: "PARTIAL")))
        #expect(review.change == nil)
        #expect(review.next == .rest)
    }

    @Test func aPoisonedOrderOfADryRunStillWaits() throws {
        let lane = OrderLane(gateway: ScriptedGateway([]), policy: OrderPolicy(isDryRun: true))
        let reconciler = OrderReconciler(lanes: ["acme": lane])
        let conclusion = reconciler.poisoned(Sample.claim(Sample.order()))
        #expect(conclusion.verdict == .recheck)
        #expect(conclusion.next == .cadence)
        #expect(conclusion.reason == "dry_run")
        #expect(conclusion.change == nil)
        let answer = try JSONValue(parsing: try #require(conclusion.answer))
        #expect(answer["would"]?["review_reason"]?.string == "POISON")
    }

    // MARK: fixed

    @Test func theFixedGatewayEchoesTheOrder() async {
        let order = Sample.order()
        let answer = await FixedGateway(.init()).ask(order, deadline: .distantFuture)
        #expect(OrderRules.decide(order, answer, policy: .init(), begunAt: Sample.early).change?.status == "paid")
        let other = await FixedGateway(.init(amountMinor: 5)).ask(order, deadline: .distantFuture)
        let decision = OrderRules.decide(order, other, policy: .init(), begunAt: Sample.early)
        #expect(decision.change?.reviewReason == "AMOUNT_MISMATCH")
        let slow = await FixedGateway(.init(delay: .seconds(600))).ask(order, deadline: .in(.milliseconds(20)))
        #expect(slow.failure?.kind == .timeout)
        let wrong = await FixedGateway(.init(state: .configError)).ask(order, deadline: .distantFuture)
        #expect(wrong.state == .configError)
    }
}
