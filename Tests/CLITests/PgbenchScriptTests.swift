import Postgres
import Schema
import TestSupport
import Testing

@testable import ReconciledCLI

/// The benchmarks' limits are made of the very statements; when these change, they must still run.
@Suite struct PgbenchScriptTests {
    @Test func settlesWhatItClaims() async throws {
        try await withTestDatabase { database in
            let bench = Bench(url: database.url, batch: 10, logger: testLogger)
            let drain = try await bench.drain(orders: 100)
            #expect(drain.pgbenchRowsPerSecond > 0)
            #expect(drain.onePollerRowsPerSecond > 0)
        }
    }

    @Test func addsAnOrderATransaction() async throws {
        try await withTestDatabase { database in
            let script = PgbenchScript(addingTo: "trial")
            #expect(try await script.roundsPerSecond(url: database.url, clients: 3, for: .rounds(7)) > 0)
            let count = Statement(name: "", text: "SELECT count(*) FROM reconciled.orders WHERE status = 'pending'")
            let added = try await database.pool.query(PostgresQuery(count)) { rows in
                try rows.first { row in try row.read(Int64.self) }
            }
            #expect(added == 21)
        }
    }
}
