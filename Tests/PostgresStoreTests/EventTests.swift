import Deliveries
import JSON
import Outgoing
import Payments
import Postgres
import Reconciling
import Schema
import StoreConformance
import Testing
import Timeline
import Uploads

@testable import PostgresStore

/// Events are written by the statement that makes the change: once, and only if it does.
@Suite struct EventTests {
    private struct Event: Hashable {
        var endpoint: String
        var id: String
        var type: String
        var subject: String
        var payload: String
    }

    private func events<Table>(_ harness: PostgresHarness<Table>) async throws -> [Event] {
        let sql = "SELECT endpoint, event_id, event_type, subject, payload FROM reconciled.deliveries ORDER BY id"
        return try await harness.database.pool.query(PostgresQuery(Statement(name: "", text: sql))) { rows in
            try rows.map { row in
                Event(
                    endpoint: try row.read(), id: try row.read(), type: try row.read(), subject: try row.read(),
                    payload: try row.read())
            }
        }
    }

    private func register<Table>(
        _ harness: PostgresHarness<Table>, _ name: String = "all", _ events: String = "*", process: String = "p"
    ) async throws {
        try await harness.run(
            "INSERT INTO reconciled.endpoints (name, process, events) VALUES ($1, $2, string_to_array($3, ','))",
            [.text(name), .text(process), .text(events)])
    }

    private func claim<Table>(_ store: PostgresStore<Table>) async throws -> [Claim<Table.R>] {
        let request = ClaimRequest<String>(
            lease: .seconds(60), quotas: [LaneQuota(lane: "a", count: 100, includesSuspects: true)])
        let result = await store.exchange(Exchange(settlements: [], claim: request))
        return try #require(try result.claimed?.get().claims)
    }

    private func settlement<R: Row, Change>(
        _ claim: Claim<R>, _ change: Change?, delay: Duration? = .zero
    ) -> Settlement<String, Change> where R.ID == String {
        Settlement(
            held: HeldLease(id: claim.row.id, lane: claim.row.lane, lease: claim.lease),
            statusBefore: claim.row.status, dueAt: claim.dueAt, verdict: .settled, delay: delay, change: change,
            reason: "WHY")
    }

    /// Claims the one row and settles it.
    private func settle<Table>(_ store: PostgresStore<Table>, _ change: Table.Change?) async throws {
        let claim = try #require(try await claim(store).first)
        let outcomes = try await store.settle([settlement(claim, change)]).get()
        guard case .written = outcomes.first else { throw Unexpected(outcomes: outcomes) }
    }

    private struct Unexpected: Error {
        var outcomes: [SettleOutcome]
    }

    private func withOrder(
        _ body: (PostgresHarness<OrderTable>, PostgresStore<OrderTable>) async throws -> Void
    ) async throws {
        try await withHarness(OrderTable.self) { harness in
            try await harness.insert(.init("A-1"))
            try await body(harness, try await harness.store(poller: "p1"))
        }
    }

    // MARK: once

    @Test func aChangeIsToldToEachEndpointThatWantsIt() async throws {
        try await withOrder { harness, store in
            try await register(harness, "all")
            // Another process has it too, with another filter that takes the event as well.
            try await register(harness, "all", "order.paid,upload.*", process: "q")
            try await register(harness, "orders", "order.*")
            try await register(harness, "paid", "order.paid")
            try await register(harness, "others", "order.closed,upload.*")
            try await settle(store, OrderChange(status: "paid"))

            let events = try await events(harness)
            #expect(events.map(\.endpoint) == ["all", "orders", "paid"])
            #expect(Set(events.map(\.id)).count == 1)
            let history = try await harness.history(of: "A-1")
            #expect(history.count == 1)
            let event = try #require(events.first)
            #expect(event.id.contains(/^evt_1_[0-9a-f]+$/))
            #expect(event.type == "order.paid" && event.subject == "orders/A-1")
            let payload = try JSONValue(parsing: event.payload)
            #expect(payload["type"]?.string == "order.paid")
            #expect(Timestamp(payload["timestamp"]?.string ?? "") != nil)
            let data = try #require(payload["data"])
            #expect(data["status_before"]?.string == "pending" && data["status_after"]?.string == "paid")
            #expect(data["reason"]?.string == "WHY")
            let row = try #require(data["row"])
            #expect(row["id"]?.string == "A-1" && row["status"]?.string == "paid")
            #expect(row["currency"]?.string == "EUR" && row["last_verdict"]?.string == "settled")
            for name in ["lease_token", "leased_by", "lease_expires_at", "claim_count", "progress"] {
                #expect(row[name] == nil, "\(name)")
            }
        }
    }

    @Test func withoutEndpointsNothingIsWritten() async throws {
        try await withOrder { harness, store in
            try await settle(store, OrderChange(status: "paid"))
            #expect(try await events(harness).isEmpty)
        }
    }

    @Test func aSecondSettleOfTheSameLeaseTellsNothing() async throws {
        try await withOrder { harness, store in
            try await register(harness)
            let claim = try #require(try await claim(store).first)
            let settlement = settlement(claim, OrderChange(status: "paid"))
            #expect(try await store.settle([settlement]).get().map(\.undated) == [.written(status: "paid")])
            #expect(try await store.settle([settlement]).get() == [.stale])
            #expect(try await store.settle([settlement, settlement]).get() == [.stale, .stale])
            #expect(try await events(harness).count == 1)
        }
    }

    @Test func aStaleTokenTellsNothing() async throws {
        try await withOrder { harness, store in
            try await register(harness)
            let old = try #require(try await claim(store).first)
            try await harness.run("UPDATE reconciled.orders SET lease_expires_at = now()", [])
            let heir = try await harness.store(poller: "p2")
            let new = try #require(try await claim(heir).first)
            #expect(try await store.settle([settlement(old, OrderChange(status: "paid"))]).get() == [.stale])
            #expect(try await events(harness).isEmpty)
            let settled = try await heir.settle([settlement(new, OrderChange(status: "closed"))]).get()
            #expect(settled.map(\.undated) == [.written(status: "closed")])
            #expect(try await events(harness).map(\.type) == ["order.closed"])
        }
    }

    @Test func whatTheApplicationChangesItselfIsNotTold() async throws {
        try await withOrder { harness, store in
            try await register(harness)
            let claim = try #require(try await claim(store).first)
            try await harness.setStatus(of: "A-1", to: "paid")
            let outcomes = try await store.settle([settlement(claim, OrderChange(status: "paid"))]).get()
            #expect(outcomes.map(\.undated) == [.overtaken(status: "paid")])
            #expect(try await harness.history(of: "A-1").count == 1)
            #expect(try await events(harness).isEmpty)
        }
    }

    @Test func aTransactionThatIsRolledBackTellsNothing() async throws {
        try await withOrder { harness, store in
            try await register(harness)
            let claim = try #require(try await claim(store).first)
            let settlement = settlement(claim, OrderChange(status: "paid"))
            await #expect(throws: Unexpected.self) {
                try await harness.database.pool.withTransaction { transaction in
                    let outcomes = try transaction.query(
                        store.settleQuery([settlement]), PostgresStore<OrderTable>.readOutcomes)
                    #expect(outcomes.map(\.undated) == [.written(status: "paid")])
                    throw Unexpected(outcomes: outcomes)
                }
            }
            #expect(try await events(harness).isEmpty)
            #expect(try await store.settle([settlement]).get().map(\.undated) == [.written(status: "paid")])
            #expect(try await events(harness).count == 1)
        }
    }

    @Test func oneRefusedRowCostsTheOthersNoEventAndGivesThemNoSecondOne() async throws {
        try await withHarness(OrderTable.self) { harness in
            for number in 0..<5 { try await harness.insert(.init("A-\(number)")) }
            try await register(harness)
            let store = try await harness.store(poller: "p1")
            let claims = try await claim(store)
            let refused = try await harness.refusedChange(for: "A-3")
            let settlements = claims.map { claim in
                settlement(claim, claim.row.id == "A-3" ? refused : OrderChange(status: "paid"))
            }
            let outcomes = try await store.settle(settlements).get()
            #expect(outcomes.count { $0.undated == .written(status: "paid") } == 4)
            let subjects = try await events(harness).map(\.subject)
            #expect(subjects.sorted() == ["orders/A-0", "orders/A-1", "orders/A-2", "orders/A-4"])
        }
    }

    // MARK: which

    @Test func onlyWhatAHumanMustSeeAndChangesOfStatusAreEvents() async throws {
        try await withOrder { harness, store in
            try await register(harness)
            try await settle(store, nil)
            try await settle(store, OrderChange(status: "pending"))
            #expect(try await events(harness).isEmpty)
            try await settle(store, OrderChange(status: "paid"))
            // Stays paid, but a human must look.
            try await settle(store, OrderChange(status: "paid", reviewReason: "PAID_BUT_ABSENT"))
            try await settle(store, OrderChange(status: "paid", reviewReason: "PAID_BUT_ABSENT"))
            try await settle(store, OrderChange(status: "paid"))
            try await settle(store, OrderChange(status: "review", reviewReason: "DISPUTED"))
            try await settle(store, OrderChange(status: "review", reviewReason: "REFUNDED"))
            try await settle(store, OrderChange(status: "closed"))
            #expect(
                try await events(harness).map(\.type) == [
                    "order.paid", "order.review", "order.review", "order.review", "order.closed",
                ])
            let before = try await events(harness).map { try JSONValue(parsing: $0.payload)["data"]?["status_before"] }
            #expect(before.map { $0?.string } == ["pending", "paid", "paid", "review", "review"])
        }
    }

    @Test func aPersonsDecisionIsAnEvent() async throws {
        try await withOrder { harness, _ in
            try await register(harness, "one", "order.resolved")
            try await register(harness, "two", "order.*")
            try await register(harness, "not", "order.paid,order.closed")
            let desk = WatchDesk<OrderTable>(pool: harness.database.pool, actor: "ann")
            let resolution = OrderTable.Resolution(transaction: "t-1", giveUpAfter: .seconds(60))
            _ = try await desk.resolve("A-1", status: "paid", note: "seen", resolution)
            #expect(try await desk.resolve("A-2", status: "paid", note: "seen", resolution) == nil)
            let events = try await events(harness)
            #expect(events.map(\.endpoint) == ["one", "two"])
            #expect(Set(events.map(\.id)).count == 1)
            #expect(events.allSatisfy { $0.type == "order.resolved" && $0.subject == "orders/A-1" })
            let data = try JSONValue(parsing: events[0].payload)["data"]
            #expect(data?["status_before"]?.string == "pending" && data?["status_after"]?.string == "paid")
            #expect(data?["row"]?["gateway_txn_id"]?.string == "t-1")
            #expect(!events[0].payload.contains("seen"), "notes are for those who work here")
        }
    }

    @Test func uploadsTellTheirs() async throws {
        try await withHarness(UploadTable.self) { harness in
            try await harness.insert(.init("u-1"))
            try await register(harness)
            try await register(harness, "orders", "order.*")
            let store = try await harness.store(poller: "p1")
            for status in ["receiving", "merging", "complete", "review", "expired"] {
                let reason = status == "review" ? "TARGET_MISSING" : nil
                try await settle(store, UploadChange(status: status, reviewReason: reason))
            }
            let desk = WatchDesk<UploadTable>(pool: harness.database.pool, actor: "ann")
            _ = try await desk.resolve("u-1", status: "receiving", note: "again", UploadPolicy())
            let events = try await events(harness)
            #expect(
                events.map(\.type) == ["upload.complete", "upload.review", "upload.expired", "upload.resolved"])
            #expect(events.allSatisfy { $0.endpoint == "all" && $0.subject == "uploads/u-1" })
            #expect(try JSONValue(parsing: events[0].payload)["data"]?["row"]?["name"]?.string == "u-1.bin")
        }
    }

    // MARK: to whom

    @Test func endpointsAreThoseThatAnyProcessHas() async throws {
        try await withOrder { harness, store in
            let outbox = Outbox(pool: harness.database.pool)
            let url = try #require(EndpointURL("https://x.example/"))
            func endpoint(_ name: String, _ events: [String] = ["*"]) -> Endpoint {
                Endpoint(name: name, url: url, secrets: [], events: events)
            }
            func told() async throws -> [String] {
                let claimed = try #require(try await claim(store).first)
                let status = claimed.row.status == "paid" ? "closed" : "paid"
                _ = try await store.settle([settlement(claimed, OrderChange(status: status))]).get()
                let endpoints = try await events(harness).map(\.endpoint)
                try await harness.run("DELETE FROM reconciled.deliveries", [])
                return endpoints
            }
            try await outbox.register([endpoint("a", ["order.paid"]), endpoint("b")], process: "1")
            #expect(try await told() == ["a", "b"])  // paid
            #expect(try await told() == ["b"])  // closed
            // A process with the next configuration, beside the old one: what either wants is told.
            try await outbox.register([endpoint("a", ["order.closed"])], process: "2")
            #expect(try await told() == ["a", "b"])
            #expect(try await told() == ["a", "b"])
            // The first one reads its configuration again.
            try await outbox.register([endpoint("a", ["order.closed"])], process: "1")
            #expect(try await told() == [])
            #expect(try await told() == ["a"])
            // Registering again changes what it says.
            try await outbox.register([endpoint("c")], process: "1")
            #expect(try await told() == ["c"])
            // All are down for a day; the first to come back does not forget the others' endpoints, one that has run for
            // an hour does.
            try await harness.run("UPDATE reconciled.endpoints SET seen_at = now() - interval '1 day'", [])
            try await outbox.register([], process: "4")
            #expect(try await told() == ["a", "c"])
            try await outbox.register([], process: "4", forgetsSilent: true)
            #expect(try await told() == [])
        }
    }
}
