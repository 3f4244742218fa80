import TestSupport
import Testing

@testable import Postgres

@Suite(.timeLimit(.minutes(2))) struct PoolTests {
    @Test func connectionsAreMadeWhenNeededAndNeverBeyondTheSize() async throws {
        try await withTestDatabase(migrated: false) { database in
            let pool = database.makePool(size: 3, applicationName: "bounded")
            let count = sql(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND application_name = 'bounded'",
                [.text(database.name)])
            #expect(try await database.pool.value(count) == 0)
            try await pool.execute(sql("SELECT 1"))
            try await pool.execute(sql("SELECT 1"))
            #expect(try await database.pool.value(count) == 1, "the connection used last is used first")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<40 { group.addTask { try await pool.execute(sql("SELECT pg_sleep(0.01)")) } }
                try await group.waitForAll()
            }
            #expect(try await database.pool.value(count) == 3)
            await pool.close()
            try await eventually("its sessions end") { try await database.pool.value(count) == 0 }
        }
    }

    @Test func callersAreServedInOrder() async throws {
        try await withTestDatabase(migrated: false, poolSize: 1) { database in
            try await database.pool.execute(sql("CREATE TABLE line (id int8 GENERATED ALWAYS AS IDENTITY, n int8)"))
            try await withThrowingTaskGroup(of: Void.self) { group in
                try await withThrowingTaskGroup(of: PostgresError.self) { holder in
                    holder.addTask { try await failure { try await database.pool.execute(sql("SELECT pg_sleep(60)")) } }
                    try await eventually("the connection is taken") { database.pool.idleCount == 0 }
                    for n in Int64(0)..<20 {
                        // Arrival is what counts, so each has to have queued before the next may start.
                        group.addTask {
                            try await database.pool.execute(sql("INSERT INTO line (n) VALUES ($1)", [.int8(n)]))
                        }
                        try await eventually("it waits") { database.pool.waiterCount == n + 1 }
                    }
                    holder.cancelAll()
                }
                try await group.waitForAll()
            }
            let order = try await database.pool.query(sql("SELECT n FROM line ORDER BY id")) {
                try $0.map { try $0.read(Int.self) }
            }
            #expect(order == Array(0..<20))
        }
    }

    @Test func waitersGiveUp() async throws {
        try await withTestDatabase(migrated: false, poolSize: 1) { database in
            try await database.pool.execute(sql("SELECT 1"))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    _ = try await failure { try await database.pool.execute(sql("SELECT pg_sleep(30)")) }
                }
                try await eventually("the connection is taken") { database.pool.idleCount == 0 }
                let late = try await failure {
                    try await database.pool.execute(sql("SELECT 1"), deadline: .milliseconds(50))
                }
                #expect(late.code == .deadline)
                await withTaskGroup(of: Void.self) { inner in
                    inner.addTask {
                        let error = try? await failure { try await database.pool.execute(sql("SELECT 1")) }
                        #expect(error?.code == .cancelled)
                    }
                    try? await eventually("it waits") { database.pool.waiterCount == 1 }
                    inner.cancelAll()
                }
                #expect(database.pool.waiterCount == 0)
                group.cancelAll()
            }
            #expect(try await database.pool.value(sql("SELECT 1")) == 1)
        }
    }

    @Test func aClosedPoolRefuses() async throws {
        try await withTestDatabase(migrated: false) { database in
            let pool = database.makePool(size: 1)
            try await pool.execute(sql("SELECT 1"))
            try await withThrowingTaskGroup(of: Void.self) { closing in
                try await withThrowingTaskGroup(of: PostgresError.Code.self) { calls in
                    calls.addTask { try await failure { try await pool.execute(sql("SELECT pg_sleep(60)")) }.code }
                    try await eventually("the connection is taken") { pool.idleCount == 0 }
                    calls.addTask { try await failure { try await pool.execute(sql("SELECT 1")) }.code }
                    try await eventually("it waits") { pool.waiterCount == 1 }
                    closing.addTask { await pool.close() }
                    #expect(try await calls.next() == .poolClosed)
                    calls.cancelAll()
                    #expect(try await calls.next() == .cancelled)
                }
                try await closing.waitForAll()
            }
            let error = try await failure { try await pool.execute(sql("SELECT 1")) }
            #expect(error.code == .poolClosed)
            await pool.close()
        }
    }

    @Test func aBackendKilledWhileIdleIsReplaced() async throws {
        try await withTestDatabase(migrated: false, poolSize: 1) { database in
            let killer = database.makePool(size: 1)
            for _ in 0..<20 {
                let backend = try await database.pool.backend
                #expect(try await killer.value(sql("SELECT pg_terminate_backend($1, 5000)", [.int4(backend)])) == true)
                #expect(try await database.pool.backend != backend)
            }
            await killer.close()
        }
    }

    @Test func aBackendKilledWhileBusyIsATransientError() async throws {
        try await withTestDatabase(migrated: false, poolSize: 1) { database in
            let killer = database.makePool(size: 1)
            let backend = try await database.pool.backend
            try await withThrowingTaskGroup(of: PostgresError.self) { group in
                group.addTask { try await failure { try await database.pool.execute(sql("SELECT pg_sleep(30)")) } }
                try await eventually("it runs") {
                    try await killer.value(
                        sql(
                            "SELECT count(*) > 0 FROM pg_stat_activity WHERE pid = $1 AND state = 'active'",
                            [.int4(backend)]))
                }
                try await killer.execute(sql("SELECT pg_terminate_backend($1)", [.int4(backend)]))
                let error = try #require(try await group.next())
                #expect(error.classification == .transient)
                #expect(error.sqlState == "57P01")
            }
            #expect(try await database.pool.backend != backend)
            await killer.close()
        }
    }

    @Test func aStatementLeftOpenRetiresItsConnection() async throws {
        try await withTestDatabase(migrated: false, poolSize: 1) { database in
            let backend = try await database.pool.backend
            try await database.pool.execute(sql("BEGIN"))
            #expect(try await database.pool.backend != backend, "a session in a transaction is not handed to others")
        }
    }

    @Test func aReadOnlyServerIsLeft() async throws {
        try await withTestDatabase(migrated: false, poolSize: 1) { database in
            let backend = try await database.pool.backend
            try await database.pool.execute(sql("SET default_transaction_read_only = on"))
            let error = try await failure { try await database.pool.execute(sql("CREATE TABLE refused ()")) }
            #expect(error.sqlState == "25006" && error.classification == .transient)
            #expect(try await database.pool.backend != backend, "a new connection may find the new primary")
        }
    }

    @Test func schemaChangesUnderPreparedStatements() async throws {
        try await withTestDatabase(migrated: false, poolSize: 1) { database in
            let pool = database.pool
            try await pool.execute(sql("CREATE TABLE shape (a int4)"))
            try await pool.execute(sql("INSERT INTO shape VALUES (1)"))
            let all = sql("SELECT * FROM shape", name: "all")
            #expect(try await pool.value(all, as: Int32.self) == 1)
            try await pool.execute(sql("ALTER TABLE shape ALTER a TYPE int8"))
            #expect(try await pool.value(all, as: Int64.self) == 1, "the plan's result type changed")
            try await pool.execute(sql("DEALLOCATE ALL"))
            #expect(try await pool.value(all, as: Int64.self) == 1, "the server forgot the statement")
        }
    }

    @Test func oneNameWithTwoTextsAndTypes() async throws {
        try await withTestDatabase(migrated: false, poolSize: 1) { database in
            let first: Int = try await database.pool.value(sql("SELECT 1", name: "same"))
            #expect(first == 1)
            #expect(try await database.pool.value(sql("SELECT 2", name: "same")) == 2)
            #expect(try await database.pool.value(sql("SELECT $1", [.int4(3)], name: "same")) == 3)
            #expect(try await database.pool.value(sql("SELECT $1", [.text("4")], name: "same")) == "4")
            for n in 0..<300 {
                #expect(
                    try await database.pool.value(sql("SELECT \(n)", name: String(repeating: "long", count: 40))) == n)
            }
            let prepared = try await database.pool.value(
                sql("SELECT count(*) FROM pg_prepared_statements"), as: Int.self)
            #expect(prepared <= 256)
        }
    }

    @Test func unpreparedStatementsLeaveNothingBehind() async throws {
        try await withTestDatabase(migrated: false) { database in
            let pool = database.makePool(size: 1, preparesStatements: false)
            let sum: Int = try await pool.value(sql("SELECT $1::int4 + 1", [.int4(1)]))
            #expect(sum == 2)
            #expect(try await pool.value(sql("SELECT count(*) FROM pg_prepared_statements")) == 0)
            await pool.close()
        }
    }
}
