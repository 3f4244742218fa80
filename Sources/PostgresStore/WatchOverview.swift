import Postgres
import Timeline

/// Counts and findings about a watch's rows, for `status`, `doctor` and metrics.
public struct WatchOverview<Table: WatchTable>: Sendable {
    package let pool: PostgresPool

    public init(pool: PostgresPool) {
        self.pool = pool
    }

    public func lanes() async throws(PostgresError) -> [LaneStatus] {
        try await pool.query(PostgresQuery(Table.desk.statusByLane)) { rows in
            try rows.map { row in
                LaneStatus(
                    lane: try row.read(), waiting: try row.read(), due: try row.read(), inFlight: try row.read(),
                    late: try row.readOptional())
            }
        }
    }

    public func statuses() async throws(PostgresError) -> [StatusCount] {
        try await pool.query(PostgresQuery(Table.desk.countByStatus)) { rows in
            try rows.map { row in
                StatusCount(status: try row.read(), reviewReason: try row.readOptional(), count: try row.read())
            }
        }
    }

    /// Due rows by lane, counted to `bound`.
    public func due(lanes: [String], bound: Int32 = 100_000) async throws(PostgresError) -> [LaneDue] {
        try await pool.query(PostgresQuery(Table.desk.countDue, [.textArray(lanes), .int4(bound)])) { rows in
            try rows.map { row in
                LaneDue(lane: try row.read(), count: try row.read(), late: try row.readOptional())
            }
        }
    }

    /// Rows that wait for a human by reason, those that wait longest, counted to `bound` in all.
    public func reviews(bound: Int32 = 100_000) async throws(PostgresError) -> [(reason: String, count: Int64)] {
        try await pool.query(PostgresQuery(Table.desk.countInReview, [.int4(bound)])) { rows in
            try rows.map { row in (reason: try row.read(), count: try row.read()) }
        }
    }

    /// Lanes in which rows wait although no configuration names them.
    ///
    /// - Parameter lanes: those that are configured.
    public func unconfigured(lanes: [String], limit: Int) async throws(PostgresError) -> [String] {
        let parameters: [PostgresParameter] = [.textArray(lanes), .int4(Int32(clamping: limit))]
        return try await pool.query(PostgresQuery(Table.desk.unconfigured, parameters)) { rows in
            try rows.map { row in try row.read(String.self) }
        }
    }

    /// Rows that cannot make progress.
    ///
    /// - Parameter lanes: those that are configured.
    public func audit(lanes: [String]) async throws(PostgresError) -> [AuditFinding] {
        try await pool.query(PostgresQuery(Table.desk.audit, [.textArray(lanes)])) { rows in
            try rows.map { row in
                AuditFinding(
                    kind: try row.read(), lane: try row.readOptional(), rowID: try row.readOptional(),
                    count: try row.readOptional())
            }
        }
    }
}

/// What waits in a lane of one watch.
public struct LaneStatus: Hashable, Sendable {
    public var lane: String
    public var waiting: Int64
    public var due: Int64
    public var inFlight: Int64
    /// By how much the oldest due row that nobody holds is late.
    public var late: Duration?
}

/// What is due in a lane.
public struct LaneDue: Hashable, Sendable {
    public var lane: String
    /// As many as were asked for at most.
    public var count: Int64
    /// By how much the oldest due row that nobody holds is late; if as many as were asked for are held, by how much at most.
    public var late: Duration?
}

public struct StatusCount: Hashable, Sendable {
    public var status: String
    public var reviewReason: String?
    public var count: Int64
}

/// Rows of one watch that cannot make progress.
public struct AuditFinding: Hashable, Sendable {
    /// `adrift`, `unclaimed`, `unconfigured`, or the watch's own; see `sql/audit_orders.sql`.
    public var kind: String
    public var lane: String?
    /// One of them.
    public var rowID: String?
    /// How many, where it was counted.
    public var count: Int64?
}
