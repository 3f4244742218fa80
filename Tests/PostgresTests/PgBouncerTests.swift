import Postgres
import TestSupport
import Testing

/// Behind a PgBouncer in transaction mode each transaction may meet another server connection.
@Suite(.timeLimit(.minutes(2))) struct PgBouncerTests {
    @Test func manyCallersShareTwoServerConnections() async throws {
        try await withTestDatabase(migrated: false) { database in
            try await database.pool.execute(sql("CREATE TABLE kept (n int8)"))
            try await withPgBouncer(before: database) { url in
                let pool = PostgresPool(
                    configuration: PostgresConfiguration(
                        url: url, applicationName: "bounced", preparesStatements: false),
                    size: 8, logger: testLogger)
                let insert = Statement(name: "insert", text: "INSERT INTO kept SELECT unnest($1::int8[])")
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for n in Int64(0)..<100 {
                        group.addTask {
                            let (first, second) = await pool.pipeline(
                                PostgresQuery(insert, [.int8Array([n])]), { $0.affectedCount },
                                sql("SELECT $1", [.int8(n)], name: "echo"), { try $0.first { try $0.read(Int64.self) } }
                            )
                            #expect(try first.get() == 1)
                            #expect(try second.get() == n)
                            try await pool.withTransaction { transaction in
                                try transaction.execute(PostgresQuery(insert, [.int8Array([n])]))
                                try transaction.execute(script: "SET LOCAL lock_timeout = '1s'")
                                try transaction.execute(PostgresQuery(insert, [.int8Array([n])]))
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                let late = try await failure {
                    try await pool.execute(sql("SELECT pg_sleep(30)"), deadline: .milliseconds(100))
                }
                #expect(late.code == .deadline)
                #expect(try await pool.value(sql("SELECT count(*) FROM kept")) == 300)
                await pool.close()
            }
        }
    }
}
