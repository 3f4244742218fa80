import Payments
import Postgres
import PostgresStore
import Reconciling
import Schema
import TestSupport
import Testing
import Timeline
import Uploads

/// Wake-ups of several watches over one connection.
@Suite(.timeLimit(.minutes(1))) struct WakeupTests {
    /// - Parameter body: gets the stores of both watches while their listener runs.
    private func withStores(
        _ body: (TestDatabase, PostgresStore<OrderTable>, PostgresStore<UploadTable>) async throws -> Void
    ) async throws {
        try await withTestDatabase { database in
            let identity = PollerIdentity(version: "test")
            let listener = WakeupListener(
                configuration: PostgresConfiguration(url: database.url, applicationName: identity.applicationName),
                logger: testLogger)
            func store<Table: WatchTable>(_ table: Table.Type) -> PostgresStore<Table> {
                PostgresStore(
                    pool: database.pool, listener: listener, poller: identity.poller(of: table.watch),
                    logger: testLogger)
            }
            let (orders, uploads) = (store(OrderTable.self), store(UploadTable.self))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await listener.run() }
                try await body(database, orders, uploads)
                group.cancelAll()
            }
            #expect(await store(UploadTable.self).nextWakeup() == nil, "a listener that has ended wakes nobody")
        }
    }

    private func run(_ sql: String, on pool: PostgresPool) async throws {
        try await pool.execute(PostgresQuery(Statement(name: "", text: sql)))
    }

    @Test func eachWatchIsWokenForItsOwnLanesOverOneConnection() async throws {
        try await withStores { database, orders, uploads in
            // What was missed before may concern any lane, and any time.
            #expect(await orders.nextWakeup() == Wakeup(lane: nil, dueFrom: .distantPast))
            #expect(await uploads.nextWakeup() == Wakeup(lane: nil, dueFrom: .distantPast))
            try await run(
                """
                INSERT INTO reconciled.uploads (id, store, name, total_bytes, chunk_bytes, chunk_count, next_check_at)
                VALUES ('u1', 'disk:one', 'a', 1, 1, 1, now()), ('u2', 'far', 'b', 1, 1, 1, now() + interval '1 hour')
                """, on: database.pool)
            #expect(await uploads.nextWakeup()?.lane == "disk:one")
            try await run(
                """
                INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, next_check_at)
                VALUES ('o1', 'acme', 1, 'EUR', now())
                """, on: database.pool)
            #expect(await orders.nextWakeup()?.lane == "acme")
            try await run("UPDATE reconciled.uploads SET next_check_at = now() WHERE id = 'u2'", on: database.pool)
            #expect(await uploads.nextWakeup()?.lane == "far")
            let count = Statement(
                name: "",
                text: """
                    SELECT count(*) FROM pg_stat_activity
                    WHERE datname = current_database() AND application_name LIKE 'reconciled/%'
                    """)
            let sessions = try await database.pool.query(PostgresQuery(count)) { rows in
                try rows.first { row in try row.read(Int64.self) }
            }
            #expect(sessions == 1)
        }
    }

    /// One transaction's many rows are few notifications, however long ago they were due.
    @Test func aNotificationSaysSinceWhen() async throws {
        try await withStores { database, orders, uploads in
            _ = await orders.nextWakeup()
            _ = await uploads.nextWakeup()
            try await run(
                """
                INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, next_check_at)
                SELECT 'o' || n, 'acme', 1, 'EUR', now() - n * interval '1 second' FROM generate_series(0, 200000, 10) AS n
                """, on: database.pool)
            try await run(
                """
                INSERT INTO reconciled.uploads (id, store, name, total_bytes, chunk_bytes, chunk_count, next_check_at)
                VALUES ('u1', 'a@1:b', 'a', 1, 1, 1, '2020-01-02T03:04:05Z'), ('u2', 'c', 'b', 1, 1, 1, '-infinity')
                """, on: database.pool)
            #expect(await uploads.nextWakeup() == Wakeup(lane: "a@1:b", dueFrom: .distantPast))
            #expect(await uploads.nextWakeup() == Wakeup(lane: "c", dueFrom: .distantPast))
            try await run(
                """
                INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, next_check_at)
                VALUES ('last', 'last', 1, 'EUR', now())
                """, on: database.pool)
            var times: [Timestamp] = []
            while let wakeup = await orders.nextWakeup(), wakeup.lane == "acme" {
                times.append(try #require(wakeup.dueFrom))
            }
            #expect((80...100).contains(times.count))
            #expect(Set(times).count == times.count)
            #expect(times.min() == .distantPast)
            // No row is due before the time that stands for it, and none long after.
            let recent = Statement(
                name: "",
                text: "SELECT next_check_at FROM reconciled.orders WHERE next_check_at > now() - interval '1 day'")
            let dueTimes = try await database.pool.query(PostgresQuery(recent)) { rows in
                try rows.map { row in try row.read(Timestamp.self) }
            }
            for dueAt in dueTimes {
                #expect(times.contains { $0 <= dueAt && dueAt - $0 <= .seconds(3_600) })
            }
        }
    }

    /// Who takes a row from the review by its status names no time, and the row is due all the same.
    @Test func aStatusAloneWakes() async throws {
        try await withStores { database, orders, _ in
            _ = await orders.nextWakeup()
            try await run(
                """
                INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, status, next_check_at)
                VALUES ('o1', 'acme', 1, 'EUR', 'review', NULL)
                """, on: database.pool)
            try await run("UPDATE reconciled.orders SET status = 'pending' WHERE id = 'o1'", on: database.pool)
            #expect(await orders.nextWakeup()?.lane == "acme")
        }
    }

    /// `notify: false` stays what it is: a trigger that is replaced would be heard again.
    @Test(arguments: [true, false]) func aMigrationLeavesAWatchAsSilentAsItWas(isSilent: Bool) async throws {
        try await withTestDatabase(migrated: false) { database in
            let known = Migration.all.filter { $0.version < 12 }
            try await Migrator(pool: database.pool, migrations: known, logger: testLogger).migrate()
            if isSilent { try await database.pool.execute(PostgresQuery(.sql("disable_notify_orders"))) }
            try await Migrator(pool: database.pool, logger: testLogger).migrate()
            let state = Statement(
                name: "",
                text: """
                    SELECT tgenabled = 'D' FROM pg_trigger
                    WHERE tgrelid = 'reconciled.orders'::regclass AND tgname = 'orders_due_notify'
                    """)
            let isDisabled = try await database.pool.query(PostgresQuery(state)) { rows in
                try rows.first { row in try row.read(Bool.self) }
            }
            #expect(isDisabled == isSilent)
        }
    }

    @Test func pollersOwnSessionsWakeNobody() async throws {
        try await withStores { database, _, uploads in
            #expect(await uploads.nextWakeup()?.lane == nil)
            let own = database.makePool(size: 1, applicationName: PollerIdentity(version: "test").applicationName)
            for (pool, id) in [(own, "silent"), (database.pool, "heard")] {
                try await run(
                    """
                    INSERT INTO reconciled.uploads (
                        id, store, name, total_bytes, chunk_bytes, chunk_count, next_check_at
                    )
                    VALUES ('\(id)', '\(id)', '\(id)', 1, 1, 1, now())
                    """, on: pool)
            }
            await own.close()
            #expect(await uploads.nextWakeup()?.lane == "heard")
        }
    }

    @Test func eachWatchOfAProcessIsAPollerOfItsOwn() async throws {
        try await withStores { database, orders, uploads in
            try await orders.heartbeat(stopping: false)
            try await uploads.heartbeat(stopping: false)
            let pollers = try await Registry(pool: database.pool).pollers()
            #expect(Set(pollers.map(\.watch)) == ["orders", "uploads"])
            #expect(pollers.allSatisfy { $0.id.hasSuffix("-\($0.watch)") })
        }
        let identity = PollerIdentity(version: "test")
        let poller = identity.poller(of: "uploads")
        #expect(poller.applicationName == identity.applicationName)
        #expect(poller.poller(of: "orders").id == identity.poller(of: "orders").id)
    }

    @Test func aStoreWithoutAListenerIsLeftToPolling() async throws {
        try await withHarness(UploadTable.self) { harness in
            let store = try await harness.store(poller: "p1")
            #expect(await store.nextWakeup() == nil)
        }
    }
}

extension Store {
    fileprivate func nextWakeup() async -> Wakeup? {
        var iterator = wakeups().makeAsyncIterator()
        return await iterator.next()
    }
}
