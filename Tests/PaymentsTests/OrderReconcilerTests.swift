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
        journal: @escaping @Sendable (String) async throws -> Bool = { _ in true }
    ) async -> Conclusion<OrderChange> {
        let reconciler = OrderReconciler(lanes: ["acme": OrderLane(gateway: gateway, policy: policy)])
        let context = CheckContext(
            deadline: .in(.seconds(10)), now: { now }, leaseRemaining: { lease }, journal: journal)
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

    @Test func aKeyThatMayNotCloseStopsTheLane() async {
        let gateway = ScriptedGateway([Sample.answer(.notPaidYet)], outcome: .misconfigured("403"))
        let conclusion = await check(gateway, policy: closing, at: Sample.expired)
        #expect(conclusion.next == .handBack)
        #expect(conclusion.laneSignal == .misconfigured("403"))
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
