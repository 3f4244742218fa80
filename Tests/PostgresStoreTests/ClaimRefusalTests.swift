import Deliveries
import Payments
import Postgres
import PostgresStore
import Reconciling
import StoreConformance
import Testing
import Timers
import Uploads

/// Rows that refuse to be claimed: an application's constraint or trigger that came later forbids to write them at all.
@Suite struct ClaimRefusalTests {
    private func expectTheOthers<Table: TableUnderTest>(
        of table: Table.Type, marked mark: String, _ alteration: String
    ) async throws {
        try await withHarness(table) { harness in
            for (id, lane) in [("1", "a"), ("2", "a"), ("3", "a"), ("4", "b"), ("5", "b"), ("6", "a")] {
                try await harness.insert(.init(id, lane: lane, dueIn: .seconds(Int64(id)! - 10)))
            }
            for id in ["1", "3", "4"] {
                try await harness.run("UPDATE reconciled.\(table.watch) SET \(mark) WHERE id::text = $1", [.text(id)])
            }
            try await harness.run("ALTER TABLE reconciled.\(table.watch) \(alteration)", [])
            let store = try await harness.store(poller: "p1")
            let quotas = ["a", "b"].map { LaneQuota<String>(lane: $0, count: 10, includesSuspects: true) }
            let request = ClaimRequest(lease: .seconds(60), quotas: quotas)
            for expected in [["2", "5", "6"], []] {
                let result = await store.exchange(Exchange(settlements: [], claim: request))
                let claimed = try #require(try result.claimed?.get())
                #expect(claimed.claims.map(\.row.id).sorted() == expected, "\(table.watch)")
                // Where all refuse nothing is learnt of the lane.
                #expect(Set(claimed.horizons.map(\.lane)) == (expected.isEmpty ? [] : ["a", "b"]))
            }
        }
    }

    @Test func theyKeepNoOtherRowAndNoOtherLaneFromBeingClaimed() async throws {
        let constraint = "ADD CONSTRAINT odd CHECK (failure_count <> 77) NOT VALID"
        try await expectTheOthers(of: OrderTable.self, marked: "failure_count = 77", constraint)
        try await expectTheOthers(of: UploadTable.self, marked: "failure_count = 77", constraint)
        try await expectTheOthers(of: TimerTable.self, marked: "failure_count = 77", constraint)
        try await expectTheOthers(of: DeliveryTable.self, marked: "failure_count = 77", constraint)
    }

    /// Once more is out of range.
    @Test func aCountThatIsAtItsEndIsTheRowsAlone() async throws {
        try await expectTheOthers(
            of: OrderTable.self, marked: "claim_count = 2147483647", "ALTER claim_count SET DEFAULT 0")
    }

    /// However many they are, within reason.
    @Test func whatIsDueBehindHundredsOfThemIsClaimed() async throws {
        try await withHarness(OrderTable.self) { harness in
            try await harness.run(
                """
                INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, failure_count, next_check_at)
                SELECT 'odd' || n, 'a', 1, 'EUR', 77, now() - interval '1 hour' FROM generate_series(1, 250) AS n
                """, [])
            try await harness.insert(.init("1"))
            try await harness.run(
                "ALTER TABLE reconciled.orders ADD CONSTRAINT odd CHECK (failure_count <> 77) NOT VALID", [])
            let store = try await harness.store(poller: "p1")
            let quota = LaneQuota<String>(lane: "a", count: 10, includesSuspects: true)
            let request = ClaimRequest(lease: .seconds(60), quotas: [quota])
            let claimed = try await store.exchange(Exchange(settlements: [], claim: request)).claimed?.get()
            #expect(claimed?.claims.map(\.row.id) == ["1"])
        }
    }

    /// A row that was claimed often without a settle is claimed alone there too, and none after another.
    @Test func suspectsStayAlone() async throws {
        try await withHarness(OrderTable.self) { harness in
            for (id, claimCount) in [("1", 3), ("2", 0), ("3", 3), ("4", 0)] {
                try await harness.insert(.init(id, dueIn: .seconds(Int64(id)! - 10), claimCount: claimCount))
            }
            try await harness.run("UPDATE reconciled.orders SET failure_count = 77 WHERE id = '1'", [])
            try await harness.run(
                "ALTER TABLE reconciled.orders ADD CONSTRAINT odd CHECK (failure_count <> 77) NOT VALID", [])
            let store = try await harness.store(poller: "p1")
            let quota = LaneQuota<String>(lane: "a", count: 10, includesSuspects: true)
            let request = ClaimRequest(lease: .seconds(60), quotas: [quota])
            for expected in [["2", "4"], ["3"], []] {
                let result = await store.exchange(Exchange(settlements: [], claim: request))
                #expect(try result.claimed?.get().claims.map(\.row.id) == expected)
            }
        }
    }

    /// What is no row's fault is the engine's to know.
    @Test func aTableThatIsGoneIsNoRowsFault() async throws {
        try await withHarness(OrderTable.self) { harness in
            let store = try await harness.store(poller: "p1")
            try await harness.run("ALTER TABLE reconciled.orders RENAME TO elsewhere", [])
            let quota = LaneQuota<String>(lane: "a", count: 10, includesSuspects: true)
            let result = await store.exchange(
                Exchange(settlements: [], claim: ClaimRequest(lease: .seconds(60), quotas: [quota])))
            #expect(throws: StoreError.self) { try result.claimed?.get() }
        }
    }
}
