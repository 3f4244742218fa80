import Payments
import Postgres
import Schema
import TestSupport
import Testing

@testable import PostgresStore

/// Rows by status: exact while they are few, and said to be less where they are many.
@Suite struct StatusCountTests {
    /// So many orders, of which one in ten waits for a human and three are pending.
    private static func fill(_ database: TestDatabase, rows: Int) async throws {
        try await run(
            database,
            """
            INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, status, next_check_at, review_reason)
            SELECT 'r' || n, 'lane' || n % 3, 1, 'EUR',
                CASE WHEN n <= 3 THEN 'pending' WHEN n % 10 = 4 THEN 'review' WHEN n % 10 = 5 THEN 'closed' ELSE 'paid' END,
                CASE WHEN n <= 3 THEN now() + interval '1 day' END,
                CASE WHEN n % 10 = 4 THEN 'GAVE_UP' WHEN n = 6 THEN 'PAID_BUT_ABSENT' END
            FROM generate_series(1, \(rows)) AS n;
            """)
    }

    private static func run(_ database: TestDatabase, _ script: String) async throws {
        try await database.pool.withTransaction { try $0.execute(script: script) }
    }

    private static func counts(_ database: TestDatabase, bound: Int32) async throws -> [StatusCount] {
        try await WatchOverview<OrderTable>(pool: database.pool).statuses(bound: bound)
    }

    @Test func fewAreCountedExactly() async throws {
        try await withTestDatabase { database in
            try await Self.fill(database, rows: 100)
            #expect(
                try await Self.counts(database, bound: 100) == [
                    StatusCount(status: "closed", rows: RowCount(10)),
                    StatusCount(status: "paid", rows: RowCount(76)),
                    StatusCount(status: "paid", reviewReason: "PAID_BUT_ABSENT", rows: RowCount(1)),
                    StatusCount(status: "pending", rows: RowCount(3)),
                    StatusCount(status: "review", reviewReason: "GAVE_UP", rows: RowCount(10)),
                ])
        }
    }

    @Test func ofManyTheNumberIsEstimatedButNeverOfWhatWaitsForAHuman() async throws {
        try await withTestDatabase { database in
            try await Self.fill(database, rows: 20_000)
            try await Self.run(database, "ANALYZE reconciled.orders")
            let counts = try await Self.counts(database, bound: 2_100)
            let review = counts.filter { $0.reviewReason != nil }
            #expect(
                review == [
                    StatusCount(status: "paid", reviewReason: "PAID_BUT_ABSENT", rows: RowCount(1)),
                    StatusCount(status: "review", reviewReason: "GAVE_UP", rows: RowCount(2_000)),
                ])
            let others = counts.filter { $0.reviewReason == nil }
            #expect(others.map(\.status) == ["closed", "paid", "pending"])
            #expect(others.allSatisfy { $0.rows.precision == .estimated })
            let exact: [Int64] = [2_000, 15_996, 3]
            for (other, exact) in zip(others, exact) {
                #expect(abs(other.rows.count - exact) <= max(2, exact / 10), "\(other)")
            }
            // More cases than are counted are told as more, not guessed.
            let some = try await Self.counts(database, bound: 1_000)
            #expect(some.last?.rows.precision == .atLeast && some.last?.reviewReason == "GAVE_UP")
        }
    }

    @Test func withoutStatisticsThereAreSoManyAtLeast() async throws {
        try await withTestDatabase { database in
            try await Self.run(database, "ALTER TABLE reconciled.orders SET (autovacuum_enabled = false)")
            try await Self.fill(database, rows: 1_000)
            try await Self.expectBounded(database)
        }
    }

    /// A view over someone's own table has no statistics of its own, and its indexes are the table's.
    @Test func aViewIsCountedToABound() async throws {
        try await withTestDatabase { database in
            try await Self.run(
                database,
                """
                ALTER TABLE reconciled.orders RENAME TO shop_orders;
                CREATE VIEW reconciled.orders AS SELECT * FROM reconciled.shop_orders;
                """)
            try await Self.fill(database, rows: 1_000)
            try await Self.run(database, "ANALYZE reconciled.shop_orders")
            try await Self.expectBounded(database)
            let lanes = try await WatchOverview<OrderTable>(pool: database.pool).lanes(["lane0", "lane1"])
            #expect(lanes.map(\.waiting) == [RowCount(1), RowCount(1)])
        }
    }

    private static func expectBounded(_ database: TestDatabase) async throws {
        let counts = try await counts(database, bound: 200)
        #expect(counts.map(\.status) == ["closed", "paid", "paid", "pending", "review"], "\(counts)")
        #expect(counts.map(\.rows.precision) == [.atLeast, .atLeast, .exact, .atLeast, .exact], "\(counts)")
        #expect(counts[3].rows.count == 3 && counts[4].rows.count == 100, "\(counts)")
        #expect(counts[1].rows.count > 100 && counts[1].rows.count <= 201, "\(counts)")
    }

    @Test func anEstimateIsNoLessThanWhatWasSeen() {
        let counted = [
            StatusCount(status: "cancelled", rows: RowCount(2, .atLeast)),
            StatusCount(status: "paid", rows: RowCount(90, .atLeast)),
            StatusCount(status: "paid", reviewReason: "PAID_BUT_ABSENT", rows: RowCount(7)),
            StatusCount(status: "pending", rows: RowCount(40, .atLeast)),
            StatusCount(status: "review", rows: RowCount(1, .atLeast)),
        ]
        let estimates: [(status: String, count: Int64)] = [
            ("closed", 12), ("paid", 5_000), ("pending", 30), ("review", 400),
        ]
        #expect(
            StatusCount.estimated(counted, by: estimates) == [
                StatusCount(status: "cancelled", rows: RowCount(2, .atLeast)),
                StatusCount(status: "closed", rows: RowCount(12, .estimated)),
                StatusCount(status: "paid", rows: RowCount(4_993, .estimated)),
                StatusCount(status: "paid", reviewReason: "PAID_BUT_ABSENT", rows: RowCount(7)),
                StatusCount(status: "pending", rows: RowCount(40, .estimated)),
                StatusCount(status: "review", rows: RowCount(1, .atLeast)),
            ])
        #expect(StatusCount.estimated(counted, by: []) == counted)
    }
}
