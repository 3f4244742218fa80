import Postgres
import Schema
import TestSupport
import Testing

/// The hot statements keep their plans, whatever the planner believes of a table that it has not analyzed yet.
@Suite struct HotPlanTests {
    @Test(arguments: ["custom", "generic"])
    func ordersUseTheirIndexes(mode: String) async throws {
        try await expectPlans(
            of: "orders", mode: mode,
            filling: """
                INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, next_check_at)
                SELECT 'r' || n, 'lane' || n % 3, 1, 'EUR', now() + (n - 2000) * interval '1 second'
                FROM generate_series(1, 20000) AS n;
                """,
            change: "'{t}', '{paid}', '{now}', '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{f}'")
    }

    @Test(arguments: ["custom", "generic"])
    func uploadsUseTheirIndexes(mode: String) async throws {
        try await expectPlans(
            of: "uploads", mode: mode,
            filling: """
                INSERT INTO reconciled.uploads (id, store, name, total_bytes, chunk_bytes, chunk_count, next_check_at)
                SELECT 'r' || n, 'lane' || n % 3, n || '.bin', 10, 4, 3, now() + (n - 2000) * interval '1 second'
                FROM generate_series(1, 20000) AS n;
                """,
            change: """
                '{t}', '{merging}', '{3}', '{""}', '{0}', '{now}', '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{NULL}'
                """)
    }

    @Test(arguments: ["custom", "generic"])
    func timersUseTheirIndexes(mode: String) async throws {
        try await expectPlans(
            of: "timers", mode: mode,
            filling: """
                INSERT INTO reconciled.timers (id, lane, every, url, next_check_at)
                SELECT 'r' || n, 'lane' || n % 3, '1 hour', 'http://127.0.0.1:9/', now() + (n - 2000) * interval '1 second'
                FROM generate_series(1, 20000) AS n;
                """,
            change: "'{t}', '{active}', '{now}', '{1}', '{t}', '{200}', '{NULL}', '{NULL}'")
    }

    private func expectPlans(of watch: String, mode: String, filling script: String, change: String) async throws {
        try await withTestDatabase { database in
            try await database.pool.withTransaction { transaction in
                try transaction.execute(script: "\(script) ANALYZE reconciled.\(watch);")
            }
            let lanes = """
                '{lane0,lane1}', '{200,200}', '{-infinity,-infinity}', '{"",""}', '{t,t}'
                """
            let common = """
                'p', true, '{r1}', '{1}', '{pending}', '{now}', '{settled}', '{NULL}', '{0}', '{NULL}', '{NULL}',
                '{NULL}', '{NULL}', '{""}', '{1}'
                """
            let statements = [
                ("claim", "'p', interval '1 minute', \(lanes)", ["\(watch)_due_idx", "\(watch)_pkey"]),
                ("settle", "\(common), \(change)", ["\(watch)_pkey"]),
                ("renew", "'p', interval '1 minute', '{r1}', '{1}'", ["\(watch)_pkey"]),
                ("hand_back", "'p', '{r1}', '{1}'", ["\(watch)_pkey"]),
                ("journal", "'p', 'r1', 1, '{}'", ["\(watch)_pkey"]),
            ]
            for (verb, arguments, indexes) in statements {
                try await expect("\(verb)_\(watch)", arguments, uses: indexes, of: watch, mode: mode, in: database)
            }
            try await expect(
                "count_\(watch)_due", "'{lane0}', 1000", uses: ["\(watch)_due_idx"], of: watch, mode: mode, in: database
            )
        }
    }

    private func expect(
        _ name: String, _ arguments: String, uses indexes: [String], of watch: String, mode: String,
        in database: TestDatabase
    ) async throws {
        let plan = try await database.pool.withTransaction { transaction in
            try transaction.execute(script: "PREPARE pinned AS \(Statement.sql(name).text)")
            try transaction.execute(script: "SET LOCAL plan_cache_mode = 'force_\(mode)_plan'")
            let explain = Statement(name: "", text: "EXPLAIN (COSTS OFF) EXECUTE pinned(\(arguments))")
            let lines = try transaction.query(PostgresQuery(explain)) { rows in
                try rows.map { row in try row.read(String.self) }
            }
            try transaction.execute(script: "DEALLOCATE pinned")
            return lines.joined(separator: "\n")
        }
        for index in indexes { #expect(plan.contains(index), "\(name):\n\(plan)") }
        #expect(!plan.contains("Seq Scan on \(watch)"), "\(name):\n\(plan)")
    }
}
