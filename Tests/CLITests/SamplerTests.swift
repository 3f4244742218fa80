import Console
import Postgres
import PostgresStore
import TestSupport
import Testing

@testable import ReconciledCLI

/// What a process notes for the charts.
@Suite struct SamplerTests {
    private static func run(_ database: TestDatabase, _ script: String) async throws {
        try await database.pool.withTransaction { try $0.execute(script: script) }
    }

    private static func due(_ database: TestDatabase) async throws -> [Int64] {
        let statement = Statement(name: "test", text: "SELECT due FROM reconciled.samples ORDER BY at")
        return try await database.pool.query(PostgresQuery(statement)) { rows in
            try rows.map { row in try row.read(Int64.self) }
        }
    }

    /// A paused lane, a dead gateway: nothing is checked, and the backlog is there all the same, without gaps.
    @Test func aBacklogOfWhichNothingIsCheckedIsNotedEachTime() async throws {
        try await withTestDatabase { database in
            let configuration = try Configuration(
                yaml: "gateways: { trial: { kind: fixed, state: PAID } }", fileName: "r.yaml", environment: [:])
            let sampler = Sampler(
                pool: database.pool, watches: [OrdersWatch(configuration)],
                metrics: EngineMetrics(registry: MetricsRegistry()), process: "p", logger: testLogger)
            try await Self.run(
                database,
                """
                INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, next_check_at)
                SELECT 'r' || n, 'trial', 1, 'EUR', now() FROM generate_series(1, 3) AS n;
                """)
            for _ in 0..<3 { await sampler.run() }
            #expect(try await Self.due(database) == [3, 3, 3])
            try await Self.run(database, "UPDATE reconciled.orders SET next_check_at = NULL")
            // Its end is noted once; what rests is not written of.
            for _ in 0..<6 { await sampler.run() }
            #expect(try await Self.due(database) == [3, 3, 3, 0])
        }
    }

    /// A reload begins a new sampler over the counters that go on.
    @Test func whatWasCountedBeforeAReloadIsNotNotedAgain() async throws {
        try await withTestDatabase { database in
            let configuration = try Configuration(
                yaml: "gateways: { trial: { kind: fixed, state: PAID } }", fileName: "r.yaml", environment: [:])
            let metrics = EngineMetrics(registry: MetricsRegistry())
            metrics.checkSettled(watch: "orders", lane: "trial", verdict: .settled, duration: .zero)
            let sampler = Sampler(
                pool: database.pool, watches: [OrdersWatch(configuration)], metrics: metrics, process: "p",
                logger: testLogger)
            await sampler.run()
            #expect(try await Self.due(database) == [])
            metrics.checkSettled(watch: "orders", lane: "trial", verdict: .settled, duration: .zero)
            await sampler.run()
            #expect(try await Self.due(database).count == 1)
        }
    }
}
