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
            change: "'{t}', '{paid}', '{now}', '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{f}', '{NULL}'")
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
                '{t}', '{merging}', '{3}', '{""}', '{0}', '{now}', '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{NULL}',
                '{NULL}'
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

    @Test(arguments: ["custom", "generic"])
    func deliveriesUseTheirIndexes(mode: String) async throws {
        // Each subject has ten: to find the first of them is one probe.
        let filling = """
            INSERT INTO reconciled.deliveries (id, endpoint, event_id, event_type, subject, payload, next_check_at)
            SELECT n, 'lane' || n % 3, 'evt_' || n, 'order.paid', 'orders/' || n % 2000, '{}',
                now() + (n - 2000) * interval '1 second'
            FROM generate_series(1, 20000) AS n;
            """
        try await expectPlans(
            of: "deliveries", row: "1", mode: mode, filling: filling,
            change: "'{t}', '{delivered}', '{t}', '{200}', '{NULL}', '{NULL}'", claimIndexes: ["deliveries_order_idx"])
    }

    /// What commands ask about one delivery by the text of its number.
    @Test(arguments: ["custom", "generic"])
    func aDeliveryIsFoundByItsNumber(mode: String) async throws {
        try await withTestDatabase { database in
            try await database.pool.withTransaction { transaction in
                try transaction.execute(
                    script: """
                        INSERT INTO reconciled.deliveries (endpoint, event_id, event_type, subject, payload, delivered_at)
                        SELECT 'e', 'evt_' || n, 'order.paid', 'orders/' || n, '{}', now()
                        FROM generate_series(1, 20000) AS n;
                        UPDATE reconciled.deliveries SET status = 'delivered', next_check_at = NULL;
                        ANALYZE reconciled.deliveries;
                        """)
            }
            let statements = [
                ("show_delivery", "'7'"), ("read_delivery", "'7'"), ("claim_delivery", "'p', '1 minute', '7'"),
                ("nudge_deliveries", "'{7}', 'ann'"), ("resolve_delivery", "'7', 'pending', 'why', 'ann', NULL, NULL"),
                ("remove_delivery", "'7', 'ann'"), ("page_deliveries", "NULL, '', '7', 10, 100, false"),
            ]
            for (name, arguments) in statements {
                try await expect(
                    name, arguments, uses: ["deliveries_pkey"], of: "deliveries", mode: mode, in: database)
            }
            try await expect(
                "forget_old_deliveries", "10", uses: ["deliveries_delivered_idx"], of: "deliveries", mode: mode,
                in: database)
        }
    }

    /// The planner takes a lane that has nearly all rows for one of many: it must not collect them for that.
    @Test func noMoreIsReadThanIsCounted() async throws {
        try await withTestDatabase { database in
            try await database.pool.withTransaction { transaction in
                try transaction.execute(
                    script: """
                        INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, status, next_check_at,
                            review_reason)
                        SELECT 'r' || n, CASE WHEN n % 50 = 0 THEN 'lane' || n % 5000 ELSE 'big' END, 1, 'EUR', 'pending',
                            now() - n * interval '1 second', CASE WHEN n % 3 = 0 THEN 'GAVE_UP' END
                        FROM generate_series(1, 20000) AS n;
                        ANALYZE reconciled.orders;
                        """)
            }
            let statements = [
                ("status_orders", "'{big}', 500"), ("count_orders_by_status", "500"), ("count_orders_in_review", "500"),
            ]
            for (name, arguments) in statements {
                let plan = try await explain(
                    "ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF", name, arguments, mode: "custom",
                    after: "read_by_index", in: database)
                let read = plan.matches(of: /actual rows=([0-9]+)/).compactMap { Int($0.1) }
                #expect(read.contains(500) || read.contains(501), "\(name):\n\(plan)")
                // Together they are what is counted of each kind.
                #expect(read.allSatisfy { $0 <= 1_100 }, "\(name):\n\(plan)")
                #expect(!plan.contains("JIT"), "\(name):\n\(plan)")
            }
        }
    }

    @Test(arguments: ["custom", "generic"])
    func whatWasReclaimedIsReadFromItsIndex(mode: String) async throws {
        try await withTestDatabase { database in
            try await database.pool.withTransaction { transaction in
                try transaction.execute(
                    script: """
                        INSERT INTO reconciled.uploads (id, store, name, total_bytes, chunk_bytes, chunk_count, status,
                            next_check_at, reclaimed_at, reclaimed_bytes)
                        SELECT 'u' || n, 'lane0', 'u' || n, 10, 4, 3, 'complete', NULL, now() - n * interval '1 second', 10
                        FROM generate_series(1, 20000) AS n;
                        ANALYZE reconciled.uploads;
                        """)
            }
            let plan = try await expect(
                "count_uploads_reclaimed", "'{lane0}', 1000", uses: ["uploads_reclaimed_idx"], of: "uploads",
                mode: mode, after: "read_by_index", in: database)
            #expect(!plan.contains("Bitmap") && !plan.contains("Sort Key: u."), "\(plan)")
        }
    }

    /// However often a row was checked, its newest checks alone are read, in the index's order.
    @Test(arguments: ["custom", "generic"])
    func aRowsChecksAreReadFromTheNewest(mode: String) async throws {
        try await withTestDatabase { database in
            try await database.pool.withTransaction { transaction in
                try transaction.execute(
                    script: """
                        INSERT INTO reconciled.checks (at, watch, row_id, lane, verdict, status_before, status_after)
                        SELECT now() + n % 3 * interval '1 day', 'orders', 'r' || n % 20, 'lane0', 'recheck', 'pending',
                            'pending'
                        FROM generate_series(1, 20000) AS n;
                        ANALYZE reconciled.checks;
                        """)
            }
            let plan = try await expect(
                "list_checks", "'orders', 'r1', 100", uses: ["Merge Append", "Index Scan Backward using checks_"],
                of: "checks", mode: mode, in: database)
            #expect(!plan.contains("Sort Key: c.at") && !plan.contains("Bitmap"), "\(plan)")
        }
    }

    private func expectPlans(
        of watch: String, row: String = "r1", mode: String, filling script: String, change: String,
        claimIndexes: [String] = []
    ) async throws {
        try await withTestDatabase { database in
            try await database.pool.withTransaction { transaction in
                try transaction.execute(script: "\(script) ANALYZE reconciled.\(watch);")
            }
            let lanes = """
                '{lane0,lane1}', '{200,200}', '{-infinity,-infinity}', '{"",""}', '{t,t}'
                """
            let common = """
                'p', true, '{\(row)}', '{1}', '{pending}', '{now}', '{settled}', '{NULL}', '{0}', '{NULL}', '{NULL}',
                '{NULL}', '{NULL}', '{""}', '{1}'
                """
            let statements = [
                ("claim", "'p', interval '1 minute', \(lanes)", ["\(watch)_due_idx", "\(watch)_pkey"] + claimIndexes),
                ("settle", "\(common), \(change)", ["\(watch)_pkey"]),
                ("renew", "'p', interval '1 minute', '{\(row)}', '{1}'", ["\(watch)_pkey"]),
                ("hand_back", "'p', '{\(row)}', '{1}', '{why}'", ["\(watch)_pkey"]),
                ("journal", "'p', '\(row)', 1, '{}'", ["\(watch)_pkey"]),
            ]
            for (verb, arguments, indexes) in statements {
                try await expect("\(verb)_\(watch)", arguments, uses: indexes, of: watch, mode: mode, in: database)
            }
            for (name, arguments) in [("status_\(watch)", "'{lane0}', 1000"), ("count_\(watch)_by_status", "1000")] {
                let indexes = name.hasPrefix("status") ? [] : ["\(watch)_pkey", "\(watch)_review_idx"]
                let plan = try await expect(
                    name, arguments, uses: indexes + ["\(watch)_due_idx"], of: watch, mode: mode,
                    after: "read_by_index",
                    in: database)
                // In the index's order, so that no more is read than is counted.
                #expect(!plan.contains("Sort Key: \(watch.first ?? "?")."), "\(name):\n\(plan)")
                #expect(!plan.contains("Sort Key: \(watch.first ?? "?")_"), "\(name):\n\(plan)")
                #expect(!plan.contains("Bitmap"), "\(name):\n\(plan)")
            }
            try await expect(
                "unconfigured_\(watch)", "'{lane0}', 100", uses: ["\(watch)_due_idx"], of: watch, mode: mode,
                in: database
            )
            // The queue is read in its order, however many wait, and counted from the index alone.
            for (name, limit) in [("review_\(watch)", 50), ("count_\(watch)_in_review", 10_001)] {
                let plan = try await expect(
                    name, "\(limit)", uses: ["\(watch)_review_idx"], of: watch, mode: mode, in: database)
                #expect(!plan.contains("Sort Key: \(watch.first ?? "?").review_at"), "\(name):\n\(plan)")
            }
        }
    }

    @discardableResult
    private func expect(
        _ name: String, _ arguments: String, uses indexes: [String], of watch: String, mode: String,
        after preparation: String? = nil, in database: TestDatabase
    ) async throws -> String {
        let plan = try await explain("COSTS OFF", name, arguments, mode: mode, after: preparation, in: database)
        for index in indexes { #expect(plan.contains(index), "\(name):\n\(plan)") }
        #expect(!plan.contains("Seq Scan on \(watch)"), "\(name):\n\(plan)")
        return plan
    }

    private func explain(
        _ options: String, _ name: String, _ arguments: String, mode: String, after preparation: String?,
        in database: TestDatabase
    ) async throws -> String {
        try await database.pool.withTransaction { transaction in
            if let preparation { try transaction.execute(script: Statement.sql(preparation).text) }
            try transaction.execute(script: "PREPARE pinned AS \(Statement.sql(name).text)")
            try transaction.execute(script: "SET LOCAL plan_cache_mode = 'force_\(mode)_plan'")
            let explain = Statement(name: "", text: "EXPLAIN (\(options)) EXECUTE pinned(\(arguments))")
            let lines = try transaction.query(PostgresQuery(explain)) { rows in
                try rows.map { row in try row.read(String.self) }
            }
            try transaction.execute(script: "DEALLOCATE pinned")
            return lines.joined(separator: "\n")
        }
    }
}
