import Postgres
import Timeline

/// Counts and findings about a watch's rows, for `status`, `doctor` and metrics.
public struct WatchOverview<Table: WatchTable>: Sendable {
    package let pool: PostgresPool

    public init(pool: PostgresPool) {
        self.pool = pool
    }

    /// What waits in these lanes, counted to `bound` in each; to less where there are very many of them.
    public func lanes(_ lanes: [String], bound: Int32) async throws(PostgresError) -> [LaneStatus] {
        let bound = min(bound, max(1_000, Int32(clamping: Self.countedMax / max(1, lanes.count))))
        let query = PostgresQuery(Table.desk.statusByLane, [.textArray(lanes), .int4(bound + 1)])
        return try await readByIndex(query) { row in
            LaneStatus(
                lane: try row.read(), waiting: RowCount(try row.read(), bound: bound),
                due: RowCount(try row.read(), bound: bound), held: try row.read(), late: try row.readOptional())
        }
    }

    /// Rows by status and reason for review. More than `bound` in all are not counted whole.
    public func statuses(bound: Int32) async throws(PostgresError) -> [StatusCount] {
        let query = PostgresQuery(Table.desk.countByStatus, [.int4(bound)])
        let counted = try await readByIndex(query) { row in
            let (status, reason) = (try row.read(String.self), try row.readOptional(String.self))
            let (count, isWhole) = (try row.read(Int64.self), try row.read(Bool.self))
            return StatusCount(
                status: status, reviewReason: reason, rows: RowCount(count, isWhole ? .exact : .atLeast))
        }
        guard counted.contains(where: { $0.rows.precision != .exact }) else { return counted }
        return StatusCount.estimated(counted, by: try await estimates())
    }

    private func estimates() async throws(PostgresError) -> [(status: String, count: Int64)] {
        try await pool.query(PostgresQuery(.sql("estimate_statuses"), [.text(Table.watch)])) { rows in
            try rows.map { row in (status: try row.read(), count: try row.read()) }
        }
    }

    /// Rows that wait for a human by reason, those that wait longest, counted to `bound` in all.
    public func reviews(bound: Int32) async throws(PostgresError) -> [ReviewCount] {
        let query = PostgresQuery(Table.desk.countInReview, [.int4(bound + 1)])
        let counted = try await readByIndex(query) { row in
            (reason: try row.read(String.self), count: try row.read(Int64.self))
        }
        let isWhole = counted.reduce(0) { $0 + $1.count } <= Int64(bound)
        return counted.map { ReviewCount(reason: $0.reason, rows: RowCount($0.count, isWhole ? .exact : .atLeast)) }
    }

    /// Rows that are counted at most over all lanes, whatever their number.
    private static var countedMax: Int { 10 * Int(DeskBounds.countedMax) }

    /// Runs a statement that counts to a bound so that it reads no more than that.
    package func readByIndex<T: Sendable>(
        _ query: PostgresQuery, _ decode: @escaping @Sendable (inout PostgresRowReader) throws -> T
    ) async throws(PostgresError) -> [T] {
        do {
            return try await pool.withTransaction { transaction in
                _ = try transaction.execute(PostgresQuery(.sql("read_by_index")))
                return try transaction.query(query) { rows in try rows.map { row in try decode(&row) } }
            }
        } catch let error as PostgresError {
            throw error
        } catch {
            preconditionFailure("a transaction that only reads throws what the database says: \(error)")
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
    /// Those that are not at rest.
    public var waiting: RowCount
    /// Also those under way.
    public var due: RowCount
    /// Due ones that a poller holds.
    public var inFlight: RowCount
    /// By how much the oldest due row that nobody holds is late.
    public var late: Duration?

    /// - Parameter held: of the due ones that were counted.
    init(lane: String, waiting: RowCount, due: RowCount, held: Int64, late: Duration?) {
        self.lane = lane
        self.waiting = waiting
        self.due = due
        inFlight = RowCount(held, due.precision)
        self.late = late
    }
}

/// How many rows of one watch wait for a human for the same reason.
public struct ReviewCount: Hashable, Sendable {
    public var reason: String
    public var rows: RowCount
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
