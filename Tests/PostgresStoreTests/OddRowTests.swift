import Deliveries
import Payments
import Postgres
import PostgresStore
import Reconciling
import StoreConformance
import TestSupport
import Testing
import Timers
import Uploads

/// What an application may write to a row must not stop the others, nor the poller.
@Suite struct OddRowTests {
    @Test func aRowAtInfinityNeverFallsDue() async throws {
        try await withHarness { harness, store in
            try await harness.insert(NewRow("parked"))
            try await harness.run("UPDATE reconciled.orders SET next_check_at = 'infinity'", [])
            let claimed = try await claim(store)
            #expect(claimed.claims.isEmpty)
            #expect(claimed.horizons.map(\.nextDueIn) == [nil])
            try await harness.run("UPDATE reconciled.orders SET next_check_at = '-infinity'", [])
            #expect(try await claim(store).claims.map(\.row.id) == ["parked"])
            let lanes = try await WatchOverview<OrderTable>(pool: harness.database.pool).lanes(["a"])
            #expect(lanes.map(\.waiting) == [RowCount(1)] && lanes.map(\.inFlight) == [RowCount(1)])
            #expect(lanes[0].late == nil)
        }
    }

    @Test func aTransactionIDThatAnotherSessionHasNotCommittedDelaysNoOtherRow() async throws {
        try await withHarness { harness, store in
            for id in ["r1", "r2", "r3", "webhook"] {
                try await harness.insert(NewRow(id, dueIn: id == "webhook" ? nil : .seconds(-10)))
            }
            let claims = try await claim(store).claims
            #expect(claims.count == 3)
            let settlements = claims.map { claim in
                Settlement(
                    held: HeldLease(id: claim.row.id, lane: "a", lease: claim.lease), statusBefore: "pending",
                    dueAt: claim.dueAt, verdict: .settled, delay: nil,
                    change: OrderChange(status: "paid", gatewayTxnID: claim.row.id == "r2" ? "contended" : claim.row.id)
                )
            }
            let uncommitted =
                "UPDATE reconciled.orders SET gateway_txn_id = 'contended' WHERE id = 'webhook' RETURNING 1"
            try await harness.whileOpen(uncommitted, []) {
                let result = await store.exchange(Exchange(settlements: settlements, claim: nil))
                let written = SettleOutcome.written(status: "paid")
                let outcomes = try result.settled.get()
                #expect(outcomes == [written, .locked, written])
            }
            let later = await store.exchange(Exchange(settlements: [settlements[1]], claim: nil))
            guard case .refused(let refusal) = try later.settled.get().first else {
                Issue.record("the order took a transaction that another one holds")
                return
            }
            #expect(refusal.constraint == "orders_gateway_txn_id_key")
        }
    }

    @Test func aReopenedOrderThatNobodyWillAskAboutIsFound() async throws {
        try await withHarness { harness, _ in
            try await harness.insert(NewRow("reopened", dueIn: nil))
            try await harness.run("UPDATE reconciled.orders SET last_verdict = 'settled', check_count = 1", [])
            let findings = try await WatchOverview<OrderTable>(pool: harness.database.pool).audit(lanes: ["a"])
            #expect(findings.map(\.kind) == ["adrift"])
            try await harness.run("UPDATE reconciled.orders SET progress = '{\"cut_off\": true}'", [])
            #expect(try await WatchOverview<OrderTable>(pool: harness.database.pool).audit(lanes: ["a"]).isEmpty)
        }
    }

    /// Lanes are known by their names alone: this one was another watch's when it paused itself.
    @Test func aPlaceThatAnotherWatchLeftInItsLaneStopsNoProbe() async throws {
        try await expectProbe(of: DeliveryTable.self, behind: "A-1")
        try await expectProbe(of: OrderTable.self, behind: "7")
        try await expectProbe(of: TimerTable.self, behind: "7")
        try await expectProbe(of: UploadTable.self, behind: "7")
    }

    /// As where a watch is a view over someone's own table.
    @Test func idsOfAnotherCollationAreClaimed() async throws {
        try await expectProbe(
            of: OrderTable.self, behind: "7",
            after: [
                "CREATE COLLATION reconciled.theirs (LOCALE = 'C.UTF-8')",
                "ALTER TABLE reconciled.orders ALTER COLUMN id TYPE text COLLATE reconciled.theirs",
            ])
    }

    /// Claims the one row of a lane that paused itself and was probed at `place` before.
    private func expectProbe<Table: TableUnderTest>(
        of table: Table.Type, behind place: String, after preparation: [String] = []
    ) async throws {
        try await PostgresStoreTests.withHarness(table) { harness in
            for statement in preparation { try await harness.run(statement, []) }
            try await harness.insert(NewRow("8"))
            let store = try await harness.store(poller: "p1")
            try await store.pause(lane: "a", reason: "401")
            try await harness.run(
                "UPDATE reconciled.lanes SET probe_at = now(), probed_due_at = now() - interval '1 day', probed_id = $1",
                [.text(place)])
            let request = ClaimRequest<String>(
                lease: .seconds(60), quotas: [LaneQuota(lane: "a", count: 10, includesSuspects: true)])
            let result = await store.exchange(Exchange(settlements: [], claim: request))
            let claimed = try #require(try result.claimed?.get())
            #expect(claimed.claims.map(\.row.id) == ["8"], "\(Table.watch)")
        }
    }

    private func claim(_ store: PostgresStore<OrderTable>) async throws -> Claimed<Order> {
        let request = ClaimRequest<String>(
            lease: .seconds(60), quotas: [LaneQuota(lane: "a", count: 10, includesSuspects: true)])
        let result = await store.exchange(Exchange(settlements: [], claim: request))
        return try #require(try result.claimed?.get())
    }

    private func withHarness(
        _ body: (PostgresHarness<OrderTable>, PostgresStore<OrderTable>) async throws -> Void
    ) async throws {
        try await PostgresStoreTests.withHarness(OrderTable.self) { harness in
            try await body(harness, try await harness.store(poller: "p1"))
        }
    }
}
