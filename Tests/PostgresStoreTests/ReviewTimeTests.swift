import Payments
import Postgres
import PostgresStore
import Schema
import TestSupport
import Testing

/// Since when a row waits for a human, whoever put it there.
@Suite struct ReviewTimeTests {
    private static func run(_ database: TestDatabase, _ script: String) async throws {
        try await database.pool.withTransaction { try $0.execute(script: script) }
    }

    /// Whether a statement that gives one boolean gives true.
    private static func holds(_ database: TestDatabase, _ condition: String) async throws -> Bool {
        let statement = Statement(name: "test", text: "SELECT \(condition)")
        return try await database.pool.query(PostgresQuery(statement)) { rows in
            try rows.first { row in try row.read(Bool.self) }
        } ?? false
    }

    private static let rows = [
        "orders": "INSERT INTO reconciled.orders (id, gateway, amount_minor, currency) VALUES ('1', 'g', 1, 'EUR')",
        "uploads": """
        INSERT INTO reconciled.uploads (id, store, name, total_bytes, chunk_bytes, chunk_count)
        VALUES ('1', 's', 'n', 1, 1, 1)
        """,
        "timers": "INSERT INTO reconciled.timers (id, every, url) VALUES ('1', '1 hour', 'http://127.0.0.1:9/')",
        "deliveries": """
        INSERT INTO reconciled.deliveries (id, endpoint, event_id, event_type, subject, payload)
        VALUES (1, 'e', 'evt_1', 'order.paid', 'orders/1', '{}')
        """,
    ]

    @Test(arguments: ["orders", "uploads", "timers", "deliveries"])
    func itIsWhenTheReasonWasGiven(watch: String) async throws {
        try await withTestDatabase { database in
            let row = "FROM reconciled.\(watch) WHERE id = '1'"
            try await Self.run(database, try #require(Self.rows[watch]))
            #expect(try await Self.holds(database, "(SELECT review_at IS NULL \(row))"))
            // As an application does: by an update of its own.
            try await Self.run(
                database, "UPDATE reconciled.\(watch) SET status = 'review', review_reason = 'A' WHERE id = '1'")
            #expect(try await Self.holds(database, "(SELECT review_at > now() - interval '1 minute' \(row))"))
            // What a check writes each time moves nothing.
            try await Self.run(database, "UPDATE reconciled.\(watch) SET review_at = now() - interval '3 weeks'")
            try await Self.run(
                database, "UPDATE reconciled.\(watch) SET review_reason = 'A', check_count = 9, updated_at = now()")
            #expect(try await Self.holds(database, "(SELECT review_at < now() - interval '2 weeks' \(row))"))
            // Another reason is another case; none is none.
            try await Self.run(database, "UPDATE reconciled.\(watch) SET review_reason = 'B'")
            #expect(try await Self.holds(database, "(SELECT review_at > now() - interval '1 minute' \(row))"))
            let waiting = try #require(Self.waiting[watch])
            try await Self.run(
                database, "UPDATE reconciled.\(watch) SET status = '\(waiting)', review_reason = NULL")
            #expect(try await Self.holds(database, "(SELECT review_at IS NULL AND review_reason IS NULL \(row))"))
        }
    }

    private static let waiting = [
        "orders": "pending", "uploads": "receiving", "timers": "active", "deliveries": "pending",
    ]

    /// Whoever sets the status and says no more: the queue has the row, with that for a reason.
    @Test(arguments: ["orders", "uploads", "timers", "deliveries"])
    func aReviewWithoutAReasonIsInTheQueue(watch: String) async throws {
        try await withTestDatabase { database in
            let table = "reconciled.\(watch)"
            let named = "(SELECT review_reason = 'NO_REASON' AND review_at > now() - interval '1 minute' FROM \(table))"
            try await Self.run(database, try #require(Self.rows[watch]))
            try await Self.run(database, "UPDATE \(table) SET status = 'review'")
            #expect(try await Self.holds(database, named))
            // Written once more it keeps its place.
            try await Self.run(database, "UPDATE \(table) SET review_at = now() - interval '3 weeks'")
            try await Self.run(database, "UPDATE \(table) SET status = 'review', review_reason = NULL")
            #expect(
                try await Self.holds(
                    database,
                    "(SELECT review_reason = 'NO_REASON' AND review_at < now() - interval '2 weeks' FROM \(table))"))
            // A reason that comes later is another case, and so is one that is taken away.
            try await Self.run(database, "UPDATE \(table) SET review_reason = 'A'")
            try await Self.run(database, "UPDATE \(table) SET review_at = now() - interval '3 weeks'")
            #expect(try await Self.holds(database, "(SELECT review_reason = 'A' FROM \(table))"))
            try await Self.run(database, "UPDATE \(table) SET review_reason = NULL")
            #expect(try await Self.holds(database, named))
        }
    }

    /// By the status alone, whatever the reason was; and it is looked at again.
    @Test(arguments: ["orders", "uploads", "timers", "deliveries"])
    func whatTheApplicationMovesOnLeavesTheQueue(watch: String) async throws {
        try await withTestDatabase { database in
            let table = "reconciled.\(watch)"
            let waiting = try #require(Self.waiting[watch])
            // A timer's is its grid's next instant.
            let due = watch == "timers" ? "next_check_at > now()" : "next_check_at <= now()"
            try await Self.run(database, try #require(Self.rows[watch]))
            for (reason, given) in [
                ("NO_REASON", ""), ("A", ", review_reason = 'A', review_detail = '1'"),
                ("NO_REASON", ", review_reason = ''"),
            ] {
                try await Self.run(database, "UPDATE \(table) SET status = 'review'\(given)")
                #expect(
                    try await Self.holds(
                        database,
                        "(SELECT review_reason = '\(reason)' AND review_at > now() - interval '1 minute' FROM \(table))"
                    ))
                // As a check leaves it.
                try await Self.run(database, "UPDATE \(table) SET next_check_at = NULL")
                try await Self.run(database, "UPDATE \(table) SET status = '\(waiting)'")
                #expect(
                    try await Self.holds(
                        database,
                        """
                        (SELECT review_reason IS NULL AND review_detail IS NULL AND review_at IS NULL AND \(due)
                        FROM \(table))
                        """))
            }
            // Its own word on both stays.
            try await Self.run(database, "UPDATE \(table) SET status = 'review', review_reason = 'A'")
            try await Self.run(
                database,
                """
                UPDATE \(table)
                SET status = '\(waiting)', review_reason = 'B', next_check_at = now() + interval '9 days'
                """)
            #expect(
                try await Self.holds(
                    database, "(SELECT review_reason = 'B' AND next_check_at > now() + interval '8 days' FROM \(table))"
                ))
        }
    }

    /// What waited before anybody named it keeps the best guess of since when.
    @Test func whatWaitedUnnamedIsNamedByTheMigration() async throws {
        try await withTestDatabase(migrated: false) { database in
            func migrate(below version: Int32) async throws {
                let known = Migration.all.filter { $0.version < version }
                try await Migrator(pool: database.pool, migrations: known, logger: testLogger).migrate()
            }
            try await migrate(below: 9)
            try await Self.run(
                database,
                """
                INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, status, updated_at)
                VALUES ('a', 'g', 1, 'EUR', 'review', now() - interval '3 weeks')
                """)
            try await migrate(below: .max)
            #expect(
                try await Self.holds(
                    database,
                    """
                    (SELECT review_reason = 'NO_REASON' AND review_at < now() - interval '2 weeks'
                    FROM reconciled.orders)
                    """))
        }
    }

    @Test func anOrderThatIsInsertedForReviewIsCountedAndListed() async throws {
        try await withTestDatabase { database in
            try await Self.run(
                database,
                """
                INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, status)
                VALUES ('a', 'g', 1, 'EUR', 'review')
                """)
            let reviews = try await WatchOverview<OrderTable>(pool: database.pool).reviews(bound: 5)
            #expect(reviews.map(\.reason) == ["NO_REASON"] && reviews.map(\.rows) == [RowCount(1)])
            let queue = try await WatchDesk<OrderTable>(pool: database.pool, actor: "test").inReview(limit: 10)
            #expect(queue.count == 1)
        }
    }

    @Test func theQueueIsCountedToItsBound() async throws {
        try await withTestDatabase { database in
            try await Self.run(
                database,
                """
                INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, status, review_reason, review_at)
                SELECT 'r' || n, 'g', 1, 'EUR', 'review', CASE WHEN n <= 3 THEN 'OLD' ELSE 'NEW' END,
                    now() - interval '1 day' + n * interval '1 second'
                FROM generate_series(1, 9) AS n;
                """)
            let overview = WatchOverview<OrderTable>(pool: database.pool)
            let some = try await overview.reviews(bound: 5)
            #expect(some.map(\.reason) == ["NEW", "OLD"])
            #expect(some.map(\.rows) == [RowCount(3, .atLeast), RowCount(3, .atLeast)])
            #expect(try await overview.reviews(bound: 9).map(\.rows) == [RowCount(6), RowCount(3)])
        }
    }

    /// A check of a case that waits for long does not send it to the end.
    @Test func checkingACaseKeepsItsPlace() async throws {
        try await withTestDatabase { database in
            try await Self.run(
                database,
                """
                INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, status, next_check_at, review_reason,
                    review_at, lease_token, lease_expires_at, leased_by)
                VALUES ('old', 'g', 1, 'EUR', 'review', now(), 'GAVE_UP', now() - interval '3 weeks', 1,
                        now() + interval '1 minute', 'p'),
                    ('new', 'g', 1, 'EUR', 'review', NULL, 'GAVE_UP', now() - interval '1 day', NULL, NULL, NULL);
                """)
            let settle = """
                PREPARE settle AS \(Statement.sql("settle_orders").text);
                EXECUTE settle('p', false, '{old}', '{1}', '{review}', '{now}', '{review}', '{NULL}', '{0}', '{NULL}',
                    '{NULL}', '{NULL}', '{NULL}', '{""}', '{1}', '{t}', '{review}', '{NULL}', '{NULL}', '{NULL}',
                    '{GAVE_UP}', '{NULL}', '{f}', '{NULL}');
                """
            try await Self.run(database, settle)
            #expect(
                try await Self.holds(
                    database, "(SELECT check_count = 1 AND lease_token IS NULL FROM reconciled.orders WHERE id = 'old')"
                ))
            let queue = try await WatchDesk<OrderTable>(pool: database.pool, actor: "test").inReview(limit: 10)
            #expect(queue.first?.contains(#""id": "old""#) == true, "\(queue)")
        }
    }
}
