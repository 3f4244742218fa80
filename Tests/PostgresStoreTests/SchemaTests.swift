import Logging
import Payments
import Postgres
import TestSupport
import Testing

@testable import Schema

@Suite struct SchemaTests {
    private static let quiet: Logger = {
        var logger = Logger(label: "test")
        logger.logLevel = .error
        return logger
    }()

    @Test func everyStatementIsPreparedAgainstTheMigratedSchema() async throws {
        // These are scripts of several commands, or commands that cannot be prepared.
        let scripts = [
            "schema_bootstrap", "grants", "bench_empty", "enable_notify_orders", "disable_notify_orders",
            "enable_notify_uploads", "disable_notify_uploads", "enable_notify_timers", "disable_notify_timers",
            "enable_notify_deliveries", "disable_notify_deliveries",
        ]
        let outsideTransactions = ["bench_vacuum"]
        try await withTestDatabase { database in
            for (name, text) in EmbeddedSQL.sql where !(scripts + outsideTransactions).contains(name) {
                try await database.pool.withTransaction { transaction in
                    try transaction.execute(script: "PREPARE \(name) AS \(text)")
                }
            }
            for name in scripts {
                // Rolled back: roles belong to the whole server.
                await #expect(throws: RolledBack.self) {
                    try await database.pool.withTransaction { transaction in
                        try transaction.execute(script: Statement.sql(name).text)
                        throw RolledBack()
                    }
                }
            }
            for name in outsideTransactions { try await database.pool.execute(PostgresQuery(.sql(name))) }
        }
        #expect(EmbeddedSQL.sql.count > 30)
    }

    private struct RolledBack: Error {}

    @Test func twoThatMigrateAtTheSameInstantDoItOnce() async throws {
        try await withTestDatabase(migrated: false) { database in
            let pools = (0..<4).map { _ in database.makePool(size: 1) }
            let applied = try await withThrowingTaskGroup(of: Int.self) { group in
                for pool in pools {
                    group.addTask { try await Migrator(pool: pool, logger: Self.quiet).migrate().count }
                }
                return try await group.reduce(0, +)
            }
            #expect(applied == Migration.all.count)
            for pool in pools { await pool.close() }
            let state = try await Migrator(pool: database.pool, logger: Self.quiet).state()
            #expect(state.problem == nil)
            #expect(state.pending.isEmpty)
        }
    }

    @Test func aFailedMigrationLeavesNothingBehind() async throws {
        try await withTestDatabase { database in
            var broken = Migration.all
            broken.append(
                Migration(
                    file: "v0999_broken",
                    text: """
                        -- oldest: 1
                        CREATE TABLE reconciled.half_done (id integer);
                        SELECT 1 / 0;
                        """))
            let migrator = Migrator(pool: database.pool, migrations: broken, logger: Self.quiet)
            await #expect(throws: PostgresError.self) { try await migrator.migrate() }
            let state = try await migrator.state()
            #expect(state.pending.map(\.version) == [999])
            #expect(state.problem?.contains("run `reconciled migrate`") == true)
            let half = Statement(name: "", text: "SELECT to_regclass('reconciled.half_done') IS NULL")
            let isGone = try await database.pool.query(PostgresQuery(half)) { rows in
                try rows.first { row in try row.read(Bool.self) }
            }
            #expect(isGone == true)
        }
    }

    /// The application goes on writing meanwhile: what it has not committed when v9 begins is looked at when it has.
    @Test func aReviewThatComesDuringTheMigrationIsNamed() async throws {
        try await withTestDatabase(migrated: false) { database in
            let older = Migration.all.filter { $0.version < 9 }
            try await Migrator(pool: database.pool, migrations: older, logger: Self.quiet).migrate()
            try await withThrowingTaskGroup(of: Void.self) { group in
                let (opened, isOpen) = AsyncStream.makeStream(of: Void.self)
                group.addTask {
                    defer { isOpen.finish() }
                    try await database.pool.withTransaction { transaction in
                        try transaction.execute(
                            script: """
                                INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, status)
                                VALUES ('a', 'g', 1, 'EUR', 'review')
                                """)
                        isOpen.yield()
                        // Until the migration waits for this transaction.
                        try transaction.execute(
                            script: """
                                DO $$
                                BEGIN
                                    FOR attempt IN 1..1000 LOOP
                                        EXIT WHEN EXISTS (
                                            SELECT FROM pg_locks
                                            WHERE relation = 'reconciled.orders'::regclass AND NOT granted
                                                AND database = (
                                                    SELECT oid FROM pg_database WHERE datname = current_database()
                                                )
                                        );
                                        IF attempt = 1000 THEN
                                            RAISE EXCEPTION 'no migration waits for this transaction';
                                        END IF;
                                        PERFORM pg_sleep(0.005);
                                    END LOOP;
                                END
                                $$
                                """)
                    }
                }
                for await _ in opened { break }
                group.addTask { _ = try await Migrator(pool: database.pool, logger: Self.quiet).migrate() }
                try await group.waitForAll()
            }
            let reason = Statement(name: "", text: "SELECT review_reason = 'NO_REASON' FROM reconciled.orders")
            let isNamed = try await database.pool.query(PostgresQuery(reason)) { rows in
                try rows.first { row in try row.readOptional(Bool.self) ?? false }
            }
            #expect(isNamed == true)
        }
    }

    /// Whoever wants the table waits behind a migration that waits for it: one long transaction would stop all claims.
    @Test func aMigrationThatWaitsForALockLetsOthersPass() async throws {
        try await withHarness(OrderTable.self) { harness in
            let pool = harness.database.pool
            let reading = Statement(name: "", text: "SELECT 1 FROM reconciled.lanes")
            let waiting = Statement(
                name: "",
                text: """
                    SELECT EXISTS (
                        SELECT 1
                        FROM pg_locks AS l
                        JOIN pg_database AS d ON d.oid = l.database
                        WHERE d.datname = current_database() AND l.relation = 'reconciled.lanes'::regclass
                            AND NOT l.granted
                    )
                    """)
            let isHeld = Flag()
            async let held: Void = harness.whileOpen(reading.text, []) {
                isHeld.set()
                try await eventually("the migration waits") {
                    try await pool.query(PostgresQuery(waiting)) { rows in
                        try rows.first { row in try row.read(Bool.self) } ?? false
                    }
                }
                try await pool.execute(PostgresQuery(reading), deadline: .seconds(15))
            }
            try await eventually("a transaction holds the table") { isHeld.isSet }
            let altering = Migration(
                file: "v0999_lanes",
                text: """
                    -- oldest: 1
                    ALTER TABLE reconciled.lanes ADD COLUMN extra integer;
                    """)
            let applied = try await Migrator(pool: pool, migrations: Migration.all + [altering], logger: Self.quiet)
                .migrate()
            #expect(applied.map(\.version) == [999])
            try await held
        }
    }

    @Test func aMigrationIsNotCutOffByTheSessionsTimeout() async throws {
        try await withTestDatabase { database in
            let pool = PostgresPool(
                configuration: PostgresConfiguration(
                    url: database.url, applicationName: "test", statementTimeout: .milliseconds(500)),
                size: 1, logger: testLogger)
            let long = Migration(file: "v0999_long", text: "-- oldest: 1\nSELECT pg_sleep(1);")
            let applied = try await withPool(pool) { pool in
                try await Migrator(pool: pool, migrations: Migration.all + [long], logger: Self.quiet).migrate()
            }
            #expect(applied.map(\.version) == [999])
        }
    }

    @Test func anUnknownOrEditedSchemaIsRefusedWithWhatToDo() {
        let known = Migration.all
        func applied(_ migration: Migration) -> AppliedMigration {
            AppliedMigration(
                version: migration.version, name: migration.name, checksum: migration.checksum,
                oldest: migration.oldest, appliedAt: .distantPast)
        }
        let all = known.map(applied)
        #expect(SchemaState(applied: [], known: known).problem?.contains("reconciled migrate") == true)
        #expect(SchemaState(applied: all, known: known).problem == nil)

        var edited = all
        edited[0].checksum = "edited"
        #expect(SchemaState(applied: edited, known: known).problem?.contains("was edited") == true)

        var newer = all + [all[0]]
        newer[newer.count - 1].version = 500
        // A rolling upgrade: the newer schema says that our pollers may run on it.
        #expect(SchemaState(applied: newer, known: known).problem == nil)
        newer[newer.count - 1].oldest = 500
        #expect(SchemaState(applied: newer, known: known).problem?.contains("upgrade reconciled") == true)
    }
}
