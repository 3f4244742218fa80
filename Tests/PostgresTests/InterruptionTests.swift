import Postgres
import TestSupport
import Testing

/// Cancelled tasks and passed deadlines end the statement on the server and free the connection.
@Suite(.timeLimit(.minutes(2))) struct InterruptionTests {
    private let sleeper = sql("SELECT pg_sleep(30)", name: "sleeper")

    private func isSleeping(_ database: TestDatabase, _ watcher: PostgresPool) async throws -> Bool {
        try await watcher.value(
            sql(
                """
                SELECT count(*) > 0 FROM pg_stat_activity
                WHERE datname = $1 AND state = 'active' AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()
                """, [.text(database.name)]))
    }

    @Test func aCancelledTaskFreesItsConnection() async throws {
        try await withTestDatabase(migrated: false, poolSize: 1) { database in
            let watcher = database.makePool(size: 1)
            let before = try await database.pool.backend
            try await withThrowingTaskGroup(of: PostgresError.self) { group in
                group.addTask { try await failure { try await database.pool.execute(sleeper) } }
                try await eventually("the statement runs") { try await isSleeping(database, watcher) }
                group.cancelAll()
                let error = try #require(await group.next())
                #expect(error.code == .cancelled)
                #expect(error.classification == .cancelled)
            }
            try await eventually("the statement ended") { try await !isSleeping(database, watcher) }
            #expect(try await database.pool.backend == before, "the same connection goes on")
            await watcher.close()
        }
    }

    @Test func aPassedDeadlineFreesItsConnection() async throws {
        try await withTestDatabase(migrated: false, poolSize: 1) { database in
            let before = try await database.pool.backend
            let error = try await failure { try await database.pool.execute(sleeper, deadline: .milliseconds(500)) }
            #expect(error.code == .deadline)
            #expect(error.statementName == "sleeper")
            #expect(try await database.pool.backend == before)
            #expect(try await !isSleeping(database, database.pool))
        }
    }

    @Test func bothStatementsOfAPipelineAreCancelled() async throws {
        try await withTestDatabase(migrated: false, poolSize: 1) { database in
            let before = try await database.pool.backend
            let (first, second) = await database.pool.pipeline(
                sleeper, { $0.count }, sleeper, { $0.count }, deadline: .milliseconds(500))
            #expect(throws: PostgresError.self) { try first.get() }
            #expect(throws: PostgresError.self) { try second.get() }
            #expect(try await database.pool.backend == before)
            #expect(try await !isSleeping(database, database.pool))
        }
    }

    @Test func whatWasCommittedBeforeTheDeadlineIsReportedSo() async throws {
        try await withTestDatabase(migrated: false, poolSize: 1) { database in
            try await database.pool.execute(sql("CREATE TABLE done (n int8)"))
            let (first, second) = await database.pool.pipeline(
                sql("INSERT INTO done VALUES (1)"), { $0.affectedCount }, sleeper, { $0.count },
                deadline: .seconds(1))
            #expect(try first.get() == 1)
            #expect(throws: PostgresError.self) { try second.get() }
            #expect(try await database.pool.value(sql("SELECT count(*) FROM done")) == 1)
        }
    }

    @Test func aTransactionEndsAtItsDeadline() async throws {
        try await withTestDatabase(migrated: false, poolSize: 1) { database in
            try await database.pool.execute(sql("CREATE TABLE done (n int8)"))
            let before = try await database.pool.backend
            let error = try await failure {
                try await database.pool.withTransaction(deadline: .seconds(1)) { transaction in
                    try transaction.execute(sql("INSERT INTO done VALUES (1)"))
                    try transaction.execute(script: "SELECT pg_sleep(30)")
                }
            }
            #expect(error.code == .deadline)
            #expect(try await database.pool.value(sql("SELECT count(*) FROM done")) == 0)
            #expect(try await database.pool.backend == before)
        }
    }

    @Test func aCancelledTaskSendsNothing() async throws {
        try await withTestDatabase(migrated: false, poolSize: 1) { database in
            try await database.pool.execute(sql("CREATE TABLE done (n int8)"))
            await withTaskGroup(of: Void.self) { group in
                group.cancelAll()
                group.addTask {
                    let error = try? await failure {
                        try await database.pool.execute(sql("INSERT INTO done VALUES (1)"))
                    }
                    #expect(error?.code == .cancelled)
                }
            }
            #expect(try await database.pool.value(sql("SELECT count(*) FROM done")) == 0)
        }
    }

    /// Cancels that race the end of short statements must never hit the connection's next one.
    @Test func lateCancelsHitNobodyElse() async throws {
        try await withTestDatabase(migrated: false, poolSize: 2) { database in
            let nap = sql("SELECT pg_sleep(0.003)", name: "nap")
            for round in 0..<150 {
                let race = Duration.microseconds(2_000 + (round * 37) % 2_500)
                do throws(PostgresError) {
                    try await database.pool.execute(nap, deadline: race)
                } catch { #expect(error.code == .deadline) }
                try await database.pool.execute(nap)
            }
        }
    }
}
