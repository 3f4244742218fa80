import Payments
import Postgres
import PostgresStore
import TestSupport
import Testing

/// What is told of a backlog while pollers hold its oldest rows.
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

    /// Seconds by which the lane is late; nil for a lane that is not.
    private static func late(_ database: TestDatabase, bound: Int32) async throws -> Double? {
        let due = try await WatchOverview<OrderTable>(pool: database.pool).due(lanes: ["g"], bound: bound)
        return try #require(due.first).late.map { Double($0.components.seconds) }
    }

    @Test func whatWaitsBehindAThousandThatAreHeldIsLate() async throws {
        try await withTestDatabase { database in
            try await Self.fill(database, rows: 1_100, held: 1_024)
            let late = try #require(try await Self.late(database, bound: 10_000))
            // The 1,025th is the oldest that nobody holds.
            #expect(abs(late - (86_400 - 1_025 * 60)) < 30, "\(late)")
        }
    }

    @Test func ifAllThatAreCountedAreHeldItIsTheLastOnesLateness() async throws {
        try await withTestDatabase { database in
            try await Self.fill(database, rows: 30, held: 20)
            let late = try #require(try await Self.late(database, bound: 10))
            #expect(abs(late - (86_400 - 10 * 60)) < 30, "\(late)")
        }
    }

    @Test func whatIsHeldAloneIsNotLate() async throws {
        try await withTestDatabase { database in
            try await Self.fill(database, rows: 9, held: 9)
            #expect(try await Self.late(database, bound: 10) == nil)
        }
    }
}
