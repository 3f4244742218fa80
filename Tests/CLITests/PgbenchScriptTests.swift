import TestSupport
import Testing

@testable import ReconciledCLI

@Suite struct PgbenchScriptTests {
    /// The benchmark's limit is made of the very statements; when these change, it must still run.
    @Test func settlesWhatItClaims() async throws {
        try await withTestDatabase { database in
            let bench = Bench(url: database.url, batch: 10, logger: testLogger)
            let drain = try await bench.drain(orders: 100)
            #expect(drain.pgbenchRowsPerSecond > 0)
            #expect(drain.onePollerRowsPerSecond > 0)
        }
    }
}
