import JSON
import Payments
import Postgres
import PostgresStore
import TestSupport
import Testing

/// What the dashboard reads of a watch.
@Suite struct RowPageTests {
    private static func ids(_ rows: [String]) throws -> [String] {
        try rows.compactMap { try JSONValue(parsing: $0)["id"]?.string }
    }

    private static let orders = """
        INSERT INTO reconciled.orders (id, gateway, gateway_ref, gateway_txn_id, amount_minor, currency, status, next_check_at,
            review_reason, review_at)
        VALUES
            ('a-1', 'g', 'pi_1', NULL, 1, 'EUR', 'pending', now() - interval '1 hour', NULL, now()),
            ('a-2', 'h', 'pi_1', NULL, 1, 'EUR', 'review', NULL, 'GAVE_UP', now() - interval '1 day'),
            ('b-1', 'g', NULL, 'ch_1', 1, 'EUR', 'paid', NULL, NULL, now()),
            ('b-2', 'h', NULL, NULL, 1, 'EUR', 'pending', now() - interval '2 hours', NULL, now()),
            ('b%', 'h', NULL, NULL, 1, 'EUR', 'review', NULL, 'PAID_LATE', now() - interval '2 days'),
            ('later', 'g', NULL, NULL, 1, 'EUR', 'pending', now() + interval '1 day', NULL, now());
        """

    @Test func pagesFilterAndGoOn() async throws {
        try await withTestDatabase { database in
            try await database.pool.withTransaction { try $0.execute(script: Self.orders) }
            let desk = WatchDesk<OrderTable>(pool: database.pool, actor: "test")
            var filter = RowFilter()
            var seen: [String] = []
            for _ in 0..<4 {
                let page = try await desk.page(filter, limit: 2)
                seen += try Self.ids(page.rows)
                guard let next = page.next else { break }
                filter.after = next
            }
            #expect(seen == ["a-1", "a-2", "b%", "b-1", "b-2", "later"])
            let some: [(RowFilter, [String])] = [
                (RowFilter(prefix: "b-"), ["b-1", "b-2"]), (RowFilter(prefix: "b%"), ["b%"]),
                (RowFilter(status: "review"), ["a-2", "b%"]), (RowFilter(status: "paid", prefix: "a"), []),
                (RowFilter(after: "b-1"), ["b-2", "later"]),
            ]
            for (filter, expected) in some {
                let page = try await desk.page(filter, limit: 50)
                #expect(try Self.ids(page.rows) == expected && page.next == nil, "\(filter)")
            }
        }
    }

    @Test func whatIsDueWaitsOrHasANameIsFound() async throws {
        try await withTestDatabase { database in
            try await database.pool.withTransaction { try $0.execute(script: Self.orders) }
            let desk = WatchDesk<OrderTable>(pool: database.pool, actor: "test")
            #expect(try Self.ids(try await desk.oldestDue(lanes: ["g", "h"], limit: 10)) == ["b-2", "a-1"])
            #expect(try Self.ids(try await desk.oldestDue(lanes: ["g"], limit: 10)) == ["a-1"])
            #expect(try Self.ids(try await desk.inReview(limit: 10)) == ["b%", "a-2"])
            #expect(try await desk.find("pi_1", lanes: ["g", "h"], limit: 10) == ["a-1", "a-2"])
            #expect(try await desk.find("ch_1", lanes: ["g", "h"], limit: 10) == ["b-1"])
            #expect(try await desk.find("later", lanes: [], limit: 10) == ["later"])
            #expect(try await desk.find("nothing", lanes: ["g", "h"], limit: 10) == [])
            let overview = WatchOverview<OrderTable>(pool: database.pool)
            let lanes = try await overview.lanes(["g", "h", "none"])
            #expect(lanes.map(\.lane) == ["g", "h", "none"] && lanes.map(\.due.count) == [1, 1, 0])
            #expect((lanes[0].late ?? .zero) > .seconds(3_500) && lanes[2].late == nil)
        }
    }
}
