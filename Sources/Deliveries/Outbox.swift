import Postgres
import Schema

/// What a poller process does for deliveries besides making them.
public struct Outbox: Sendable {
    /// Rows that one statement removes at most, and statements at a time.
    private static let batch: Int32 = 1_000
    private static let batchesMax = 1_000

    private let pool: PostgresPool

    public init(pool: PostgresPool) {
        self.pool = pool
    }

    /// Says which endpoints this process has configured: from now on changes are told to them, whoever makes the changes.
    ///
    /// - Parameter forgetsSilent: whether endpoints are forgotten that no process has had for an hour.
    public func register(
        _ endpoints: [Endpoint], process: String, forgetsSilent: Bool = false
    ) async throws(PostgresError) {
        try await pool.execute(
            PostgresQuery(
                .sql("register_endpoints"),
                [
                    .text(process), .textArray(endpoints.map(\.name)),
                    .textArray(endpoints.map { $0.events.joined(separator: ",") }), .bool(forgetsSilent),
                ]))
    }

    /// Removes what was delivered more than 14 days ago; returns how many rows.
    @discardableResult
    public func forgetDelivered() async throws(PostgresError) -> Int {
        var removed = 0
        for _ in 0..<Self.batchesMax {
            let count = try await pool.query(
                PostgresQuery(.sql("forget_old_deliveries"), [.int4(Self.batch)])
            ) { rows in rows.count }
            removed += count
            guard count == Self.batch else { break }
        }
        return removed
    }
}
