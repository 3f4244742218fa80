import Postgres
import Schema
import Timeline

/// Counts and findings about orders, for `status`, `doctor` and metrics.
public struct OrderOverview: Sendable {
    let pool: PostgresPool

    public init(pool: PostgresPool) {
        self.pool = pool
    }

    public struct LaneStatus: Hashable, Sendable {
        public var lane: String
        public var waiting: Int64
        public var due: Int64
        public var inFlight: Int64
        /// By how much the oldest due order that nobody holds is late.
        public var late: Duration?
    }

    public func lanes() async throws(PostgresError) -> [LaneStatus] {
        try await pool.query(PostgresQuery(.sql("status_orders"))) { rows in
            try rows.map { row in
                LaneStatus(
                    lane: try row.read(), waiting: try row.read(), due: try row.read(), inFlight: try row.read(),
                    late: try row.readOptional())
            }
        }
    }

    public struct StatusCount: Hashable, Sendable {
        public var status: String
        public var reviewReason: String?
        public var count: Int64
    }

    public func statuses() async throws(PostgresError) -> [StatusCount] {
        try await pool.query(PostgresQuery(.sql("count_orders_by_status"))) { rows in
            try rows.map { row in
                StatusCount(status: try row.read(), reviewReason: try row.readOptional(), count: try row.read())
            }
        }
    }

    /// Due orders by lane, counted to `bound`.
    public func due(lanes: [String], bound: Int32 = 100_000) async throws(PostgresError) -> [(
        lane: String, count: Int64
    )] {
        try await pool.query(PostgresQuery(.sql("count_orders_due"), [.textArray(lanes), .int4(bound)])) { rows in
            try rows.map { row in (lane: try row.read(), count: try row.read()) }
        }
    }

    public func reviews() async throws(PostgresError) -> [(reason: String, count: Int64)] {
        try await pool.query(PostgresQuery(.sql("count_orders_in_review"))) { rows in
            try rows.map { row in (reason: try row.read(), count: try row.read()) }
        }
    }

    /// Orders that cannot make progress.
    public struct Finding: Hashable, Sendable {
        /// `adrift`, `unclaimed` or `unconfigured`; see `sql/audit_orders.sql`.
        public var kind: String
        public var lane: String?
        /// One of them.
        public var rowID: String?
        /// How many, where it was counted.
        public var count: Int64?
    }

    public func audit(lanes: [String]) async throws(PostgresError) -> [Finding] {
        try await pool.query(PostgresQuery(.sql("audit_orders"), [.textArray(lanes)])) { rows in
            try rows.map { row in
                Finding(
                    kind: try row.read(), lane: try row.readOptional(), rowID: try row.readOptional(),
                    count: try row.readOptional())
            }
        }
    }
}
