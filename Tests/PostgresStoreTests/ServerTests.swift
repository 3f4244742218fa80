import Dispatch
import Postgres
import PostgresStore
import Synchronization
import TestSupport
import Testing
import Timeline

/// What is told of the server.
@Suite struct ServerTests {
    @Test func deadRowsOfEveryWatchCount() async throws {
        try await withTestDatabase { database in
            // Uncommitted work is counted too once it is undone; the statistics come when a session ends or is idle.
            let other = database.makePool(size: 1)
            try await other.withTransaction { transaction in
                try transaction.execute(
                    script: """
                        ALTER TABLE reconciled.timers SET (autovacuum_enabled = off);
                        INSERT INTO reconciled.timers (id, every, url)
                        SELECT 'r' || n, '1 hour', 'http://127.0.0.1:9/' FROM generate_series(1, 100) AS n;
                        """)
            }
            try await other.withTransaction { try $0.execute(script: "DELETE FROM reconciled.timers") }
            await other.close()
            try await eventually("the dead timers are counted") {
                try await Registry(pool: database.pool).server()?.deadRows ?? 0 >= 100
            }
        }
    }

    /// Without the right to see others' snapshots nothing is said of them; with it, that there is none.
    @Test func whatIsNotSeenIsNotCalledZero() async throws {
        try await withTestDatabase { database in
            let role = "blind_\(database.name)"
            func run(_ script: String) async throws {
                try await database.pool.withTransaction { try $0.execute(script: script) }
            }
            try await run("CREATE ROLE \(role); GRANT USAGE ON SCHEMA reconciled TO \(role)")
            let audit = Statement.sql("audit_server").text.replacing("SELECT clock_timestamp() AS now,", with: "SELECT")
            func ageIsKnown() async throws -> Bool? {
                try await database.pool.withTransaction { transaction in
                    try transaction.execute(script: "SET LOCAL ROLE \(role)")
                    let known = Statement(
                        name: "test", text: "SELECT xmin_age IS NOT NULL FROM (\(audit.dropLast(2))) AS s")
                    return try transaction.query(PostgresQuery(known)) { rows in
                        try rows.first { row in try row.read(Bool.self) }
                    }
                }
            }
            #expect(try await ageIsKnown() == false)
            try await run("GRANT pg_read_all_stats TO \(role)")
            #expect(try await ageIsKnown() == true)
            try await run("DROP OWNED BY \(role); DROP ROLE \(role)")
        }
    }

    /// The clock is read when a connection is at hand: what a call waits in the pool is no skew.
    @Test func aWaitInThePoolIsNoSkew() async throws {
        try await withTestDatabase { database in
            let pool = database.makePool(size: 1)
            let release = DispatchSemaphore(value: 0)
            let events = Mutex<[String]>([])
            let (taken, isTaken) = AsyncStream.makeStream(of: Void.self)
            async let held: Void = pool.withTransaction { _ in
                isTaken.finish()
                release.wait()
            }
            for await _ in taken {}
            async let read = Registry(pool: pool).server(clock: {
                events.withLock { $0.append("clock") }
                return .wallClock
            })
            // Meanwhile it waits for the only connection.
            for _ in 0..<20 { try await database.pool.execute(PostgresQuery(.sql("list_lanes"))) }
            events.withLock { $0.append("released") }
            release.signal()
            let server = try await read
            try await held
            await pool.close()
            #expect(server != nil && events.withLock { $0 } == ["released", "clock"])
        }
    }
}
