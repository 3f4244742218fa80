import JSON
import Reconciling
import Testing
import Timeline

@testable import Payments

/// One test for each row of the decision table: pending orders of which the gateway says that they are paid.
@Suite struct OrderRulesPaidTests {
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
}
