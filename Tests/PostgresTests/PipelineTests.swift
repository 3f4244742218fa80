import Postgres
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct PipelineTests {
    @Test(arguments: [true, false])
    func eachStatementStandsAlone(prepares: Bool) async throws {
        try await withTestDatabase(migrated: false) { database in
            let pool = database.makePool(size: 1, preparesStatements: prepares)
            try await pool.execute(sql("CREATE TABLE kept (n int8 PRIMARY KEY)"))
            let good = sql("INSERT INTO kept VALUES ($1) RETURNING n", [.int8(1)], name: "good")
            let bad = sql("SELECT 1 / $1::int4", [.int4(0)], name: "bad")
            let read: @Sendable (borrowing PostgresRows) throws -> [Int] = { try $0.map { try $0.read() } }

            var (first, second) = await pool.pipeline(bad, read, good, read)
            #expect(throws: PostgresError.self) { try first.get() }
            #expect(try second.get() == [1])
            #expect(first.failure?.sqlState == "22012" && first.failure?.statementName == "bad")

            (first, second) = await pool.pipeline(
                sql("DELETE FROM kept RETURNING n"), read, sql("SELEC 1", name: "syntax"), read)
            #expect(try first.get() == [1])
            #expect(second.failure?.sqlState == "42601")

            (first, second) = await pool.pipeline(good, read, sql("SELECT $1", [.text("\0")]), read)
            #expect(try first.get() == [1])
            #expect(second.failure?.code == .parameter)

            (first, second) = await pool.pipeline(good, read, good, read)
            #expect(first.failure?.sqlState == "23505" && second.failure?.sqlState == "23505")
            #expect(try await pool.value(sql("SELECT count(*) FROM kept")) == 1)
            await pool.close()
        }
    }

    @Test func aConstraintCheckedAtCommitFailsItsStatement() async throws {
        try await withTestDatabase(migrated: false, poolSize: 1) { database in
            try await database.pool.withTransaction {
                try $0.execute(
                    script: """
                        CREATE TABLE parents (id int8 PRIMARY KEY);
                        CREATE TABLE children (id int8 REFERENCES parents DEFERRABLE INITIALLY DEFERRED);
                        """)
            }
            let backend = try await database.pool.backend
            let orphan = sql("INSERT INTO children VALUES (1)", name: "orphan")
            let single = try await failure { try await database.pool.execute(orphan) }
            #expect(single.sqlState == "23503")
            let (first, second) = await database.pool.pipeline(
                orphan, { $0.affectedCount }, sql("INSERT INTO parents VALUES (1)"), { $0.affectedCount })
            #expect(first.failure?.sqlState == "23503")
            #expect(try second.get() == 1)
            #expect(try await database.pool.value(sql("SELECT count(*) FROM children")) == 0)
            #expect(try await database.pool.execute(orphan) == 1)
            #expect(try await database.pool.backend == backend)
        }
    }

    @Test func largeStatementsInBothDirections() async throws {
        try await withTestDatabase(migrated: false, poolSize: 1) { database in
            // More than any socket buffer holds: writing has to go on while results are read.
            let big = String(repeating: "b", count: 4_000_000)
            let echo = sql("SELECT $1, length($2)", [.text(big), .text(big)])
            let (first, second) = await database.pool.pipeline(
                echo, { try $0.first { try $0.read(String.self) } }, echo, { try $0.first { try $0.read(String.self) } }
            )
            let texts = try [first.get(), second.get()]
            #expect(texts == [big, big])
        }
    }

    @Test func aConnectionLostInAPipelineFailsWhatIsOpen() async throws {
        try await withTestDatabase(migrated: false, poolSize: 1) { database in
            try await database.pool.execute(sql("CREATE TABLE kept (n int8)"))
            let (first, second) = await database.pool.pipeline(
                sql("INSERT INTO kept VALUES (1)"), { $0.affectedCount },
                sql("SELECT pg_terminate_backend(pg_backend_pid())"), { $0.count })
            #expect(try first.get() == 1)
            #expect(second.failure?.classification == .transient)
            #expect(try await database.pool.value(sql("SELECT count(*) FROM kept")) == 1)
        }
    }
}

extension Result {
    var failure: Failure? {
        if case .failure(let error) = self { return error }
        return nil
    }
}
