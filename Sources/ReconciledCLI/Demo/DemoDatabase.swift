import Deliveries
import Postgres
import PostgresStore
import Schema

/// What the demo asks of its database.
struct DemoDatabase {
    let pool: PostgresPool

    struct Outcome {
        var id: String
        var status: String
        var reviewReason: String?
        var isChecked: Bool
        var isResting: Bool
        /// From falling due to the change of its status.
        var fixedAfter: Duration?
    }

    struct Counters {
        var checks: Int64
        var failed: Int64
        var overtaken: Int64
        /// How late the first check of an order began.
        var latenessMedian: Duration?
        var latenessP99: Duration?
    }

    func insert(_ orders: [DemoOrder]) async throws {
        let parameters: [PostgresParameter] = [
            .textArray(orders.map(\.id)), .textArray(orders.map(\.gateway)), .textArray(orders.map(\.gatewayRef)),
            .int8Array(orders.map(\.amountMinor)), .textArray(orders.map(\.currency)),
            .textArray(orders.map(\.initialStatus)), .boolArray(orders.map(\.scenario.isPastGiveUp)),
            .textArray(orders.map(\.transaction)),
        ]
        try await pool.execute(PostgresQuery(.sql("demo_orders"), parameters))
    }

    /// Whether webhooks are still to be delivered to this endpoint.
    func isDelivering(to endpoint: String) async throws -> Bool {
        try await WatchOverview<DeliveryTable>(pool: pool).lanes([endpoint]).contains { $0.waiting.count > 0 }
    }

    /// The application's webhook hears of these payments.
    func notify(_ ids: [String]) async throws {
        try await pool.execute(PostgresQuery(.sql("demo_webhooks"), [.textArray(ids)]))
    }

    func outcomes() async throws -> [Outcome] {
        try await pool.query(PostgresQuery(.sql("demo_outcomes"))) { rows in
            try rows.map { row in
                Outcome(
                    id: try row.read(), status: try row.read(), reviewReason: try row.readOptional(),
                    isChecked: try row.read(), isResting: try row.read(), fixedAfter: try row.readOptional())
            }
        }
    }

    func counters() async throws -> Counters {
        let counters = try await pool.query(PostgresQuery(.sql("demo_counters"))) { rows in
            try rows.first { row in
                Counters(
                    checks: try row.read(), failed: try row.read(), overtaken: try row.read(),
                    latenessMedian: try row.readOptional(), latenessP99: try row.readOptional())
            }
        }
        return counters ?? Counters(checks: 0, failed: 0, overtaken: 0)
    }
}
