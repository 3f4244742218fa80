import Postgres
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct TransactionTests {
    private struct Changed: Error {}

    private func withTable(_ body: (PostgresPool) async throws -> Void) async throws {
        try await withTestDatabase(migrated: false, poolSize: 1) { database in
            try await database.pool.execute(sql("CREATE TABLE kept (n int8 PRIMARY KEY)"))
            try await body(database.pool)
        }
    }

    private let insert = sql("INSERT INTO kept VALUES (1)")
    private let count = sql("SELECT count(*) FROM kept")

    @Test func commitsWhatReturns() async throws {
        try await withTable { pool in
            let rows = try await pool.withTransaction { transaction in
                try transaction.execute(insert)
                return try transaction.query(count) { try $0.first { try $0.read(Int.self) } }
            }
            #expect(rows == 1)
            #expect(try await pool.value(count) == 1)
        }
    }

    @Test func rollsBackWhatThrows() async throws {
        try await withTable { pool in
            let backend = try await pool.backend
            await #expect(throws: Changed.self) {
                try await pool.withTransaction { transaction in
                    try transaction.execute(insert)
                    throw Changed()
                }
            }
            #expect(try await pool.value(count) == 0)
            #expect(try await pool.backend == backend)
        }
    }

    @Test func aSwallowedErrorIsNotACommit() async throws {
        try await withTable { pool in
            let error = try await failure {
                try await pool.withTransaction { transaction in
                    try transaction.execute(insert)
                    do { try transaction.execute(insert) } catch {}
                }
            }
            #expect(error.sqlState == "25P02")
            #expect(try await pool.value(count) == 0)
        }
    }

    @Test func aDeferredConstraintFailsTheCommit() async throws {
        try await withTable { pool in
            try await pool.execute(sql("CREATE TABLE child (n int8 REFERENCES kept DEFERRABLE INITIALLY DEFERRED)"))
            let error = try await failure {
                try await pool.withTransaction { try $0.execute(sql("INSERT INTO child VALUES (9)")) }
            }
            #expect(error.sqlState == "23503")
            #expect(try await pool.value(count) == 0)
        }
    }

    @Test func scriptsHoldSeveralStatements() async throws {
        try await withTable { pool in
            try await pool.withTransaction {
                try $0.execute(
                    script: "INSERT INTO kept VALUES (1); INSERT INTO kept VALUES (2); SELECT 'rows are dropped'")
            }
            #expect(try await pool.value(count) == 2)
            let error = try await failure {
                try await pool.withTransaction {
                    try $0.execute(script: "DELETE FROM kept; INSERT INTO nowhere VALUES (1); SELECT 1", name: "broken")
                }
            }
            #expect(error.sqlState == "42P01" && error.statementName == "broken")
            #expect(try await pool.value(count) == 2)
            let copy = try await failure {
                try await pool.withTransaction { try $0.execute(script: "COPY kept FROM STDIN") }
            }
            #expect(copy.code == .query)
            #expect(try await pool.value(count) == 2)
            let nul = try await failure {
                try await pool.withTransaction { try $0.execute(script: "SELECT 1; \0 SELECT 2") }
            }
            #expect(nul.code == .parameter)
        }
    }

    @Test func aLostConnectionRollsBack() async throws {
        try await withTable { pool in
            let error = try await failure {
                try await pool.withTransaction { transaction in
                    try transaction.execute(insert)
                    try transaction.execute(sql("SELECT pg_terminate_backend(pg_backend_pid())"))
                }
            }
            #expect(error.classification == .transient)
            #expect(try await pool.value(count) == 0)
        }
    }
}
