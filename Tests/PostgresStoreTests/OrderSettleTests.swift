import Payments
import Postgres
import PostgresStore
import Reconciling
import StoreConformance
import Testing

/// How a conclusion's columns reach `reconciled.orders`.
@Suite struct OrderSettleTests {
    /// An answer is proof of what the gateway was asked about, and of nothing that the row says by now.
    @Test(arguments: [
        "amount_minor = amount_minor + 3000", "currency = 'USD'", "gateway_ref = 'another'", "gateway_ref = NULL",
        "gateway = 'b'", "updated_at = now()",
    ])
    func anOrderThatWasChangedMeanwhileIsNotPaid(change: String) async throws {
        try await withHarness(OrderTable.self) { harness in
            try await harness.insert(.init("o1"))
            try await harness.run("UPDATE reconciled.orders SET gateway_ref = 'ref \"é\\'", [])
            let store = try await harness.store(poller: "p1")
            let request = ClaimRequest<String>(
                lease: .seconds(60), quotas: [LaneQuota(lane: "a", count: 10, includesSuspects: true)])
            let claimed = try await store.exchange(Exchange(settlements: [], claim: request)).claimed?.get()
            let claim = try #require(claimed?.claims.first)
            try await harness.run("UPDATE reconciled.orders SET \(change)", [])
            let settlement = Settlement(
                held: HeldLease(id: "o1", lane: "a", lease: claim.lease), statusBefore: "pending",
                basis: claim.row.basis, dueAt: claim.dueAt, verdict: .settled, delay: nil,
                change: OrderChange(status: "paid", paidAt: claim.claimedAt, gatewayTxnID: "t"))
            let outcomes = try await store.exchange(Exchange(settlements: [settlement], claim: nil)).settled.get()
            let columns = try await harness.columns(of: "o1")
            if change.hasPrefix("updated_at") {
                #expect(columns.status == "paid")
                guard case .written("paid", nil, _)? = outcomes.first else {
                    Issue.record("\(outcomes)")
                    return
                }
            } else {
                // It is asked about again, at once.
                #expect(columns.status == "pending")
                guard case .overtaken("pending", .some, _)? = outcomes.first else {
                    Issue.record("\(outcomes)")
                    return
                }
            }
        }
    }
}
