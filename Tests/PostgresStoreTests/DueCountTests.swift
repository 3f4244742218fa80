import Payments
import Postgres
import PostgresStore
import TestSupport
import Testing
import Timeline

/// What is told of a backlog: counted to a bound, and how late it is while pollers hold its oldest rows.
@Suite struct DueCountTests {
    private static func fill(_ database: TestDatabase, rows: Int, held: Int) async throws {
        try await database.pool.withTransaction { transaction in
            try transaction.execute(
                script: """
                    INSERT INTO reconciled.orders (
                        id, gateway, amount_minor, currency, next_check_at, lease_token, lease_expires_at, leased_by)
                    SELECT 'r' || n, 'g', 1, 'EUR', now() - interval '1 day' + n * interval '1 minute',
                        CASE WHEN n <= \(held) THEN n END, CASE WHEN n <= \(held) THEN now() + interval '1 minute' END,
                        CASE WHEN n <= \(held) THEN 'p' END
                    FROM generate_series(1, \(rows)) AS n;
                    """)
        }
    }

    private static func lane(_ database: TestDatabase, bound: Int32) async throws -> LaneStatus {
        try #require(try await WatchOverview<OrderTable>(pool: database.pool).lanes(["g"], bound: bound).first)
    }

    /// However many are held and however few are counted.
    @Test(arguments: [10_000, 10] as [Int32]) func whatWaitsBehindAllThatAreHeldIsLate(bound: Int32) async throws {
        try await withTestDatabase { database in
            try await Self.fill(database, rows: 1_100, held: 1_024)
            let late = try #require(try await Self.lane(database, bound: bound).late)
            // The 1,025th is the oldest that nobody holds.
            #expect(abs(late.inSeconds - (86_400 - 1_025 * 60)) < 30, "\(late)")
        }
    }

    @Test func whatIsHeldAloneIsNotLate() async throws {
        try await withTestDatabase { database in
            try await Self.fill(database, rows: 9, held: 9)
            #expect(try await Self.lane(database, bound: 10).late == nil)
        }
    }

    @Test func countsEndAtTheBoundAndSaySo() async throws {
        try await withTestDatabase { database in
            try await Self.fill(database, rows: 20, held: 4)
            let exact = try await Self.lane(database, bound: 20)
            #expect(exact.waiting == RowCount(20) && exact.due == RowCount(20) && exact.inFlight == RowCount(4))
            let some = try await Self.lane(database, bound: 19)
            #expect(some.waiting == RowCount(19, .atLeast) && some.due == RowCount(19, .atLeast))
            #expect(some.inFlight == RowCount(4, .atLeast))

            // What is not due yet is counted behind what is.
            try await database.pool.withTransaction {
                try $0.execute(
                    script: "UPDATE reconciled.orders SET next_check_at = now() + interval '1 day' WHERE id > 'r15'")
            }
            let due = try await Self.lane(database, bound: 20).due
            #expect(due == RowCount(7), "\(due)")
            let later = try await Self.lane(database, bound: 10)
            #expect(later.waiting == RowCount(10, .atLeast) && later.due == RowCount(7))
        }
    }

    /// A thousand lanes cost no more than ten.
    @Test func manyLanesAreCountedToLessEach() async throws {
        try await withTestDatabase { database in
            try await Self.fill(database, rows: 1_200, held: 0)
            let names = ["g"] + (1..<200).map { "none\($0)" }
            let lanes = try await WatchOverview<OrderTable>(pool: database.pool).lanes(names)
            #expect(lanes.count == 200)
            #expect(lanes.first { $0.lane == "g" }?.due == RowCount(1_000, .atLeast))
        }
    }
}
