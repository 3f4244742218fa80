import Postgres

/// A `WatchDesk` whatever its table is: for those who serve several watches in one way.
public protocol RowDesk: Sendable {
    func page(_ filter: RowFilter, limit: Int) async throws(PostgresError) -> RowPage
    func oldestDue(lanes: [String], limit: Int) async throws(PostgresError) -> [String]
    func inReview(limit: Int) async throws(PostgresError) -> [String]
    func find(_ name: String, lanes: [String], limit: Int) async throws(PostgresError) -> [String]
    func show(_ id: String) async throws(PostgresError) -> String?
    func history(_ id: String, limit: Int) async throws(PostgresError) -> [String]
    func checks(_ id: String, limit: Int) async throws(PostgresError) -> [String]
    func add(_ objects: String) async throws(PostgresError) -> [AddedRow]
    func nudge(_ ids: [String]) async throws(PostgresError) -> [String]
    func remove(_ id: String) async throws(PostgresError) -> Bool
}

extension WatchDesk: RowDesk {}

extension RowDesk {
    /// As many rows by id as there are to a bound, looked for page by page.
    ///
    /// - Parameter limit: at most `DeskBounds.rowsMax`.
    public func rows(_ filter: RowFilter, limit: Int) async throws(PostgresError) -> RowPage {
        var filter = filter
        var found = RowPage()
        repeat {
            let page = try await page(filter, limit: limit - found.rows.count)
            found.rows += page.rows
            found.next = page.next
            filter.after = page.next ?? ""
        } while found.next != nil && found.rows.count < limit
        return found
    }
}

/// A `WatchOverview` whatever its table is.
public protocol RowOverview: Sendable {
    func lanes(_ lanes: [String], bound: Int32) async throws(PostgresError) -> [LaneStatus]
    func statuses(bound: Int32) async throws(PostgresError) -> [StatusCount]
    func reviews(bound: Int32) async throws(PostgresError) -> [ReviewCount]
    func audit(lanes: [String]) async throws(PostgresError) -> [AuditFinding]
    func unconfigured(lanes: [String], limit: Int) async throws(PostgresError) -> [String]
}

extension WatchOverview: RowOverview {}

extension RowOverview {
    public func lanes(_ lanes: [String]) async throws(PostgresError) -> [LaneStatus] {
        try await self.lanes(lanes, bound: DeskBounds.countedMax)
    }

    public func statuses() async throws(PostgresError) -> [StatusCount] {
        try await statuses(bound: DeskBounds.countedMax)
    }

    public func reviews() async throws(PostgresError) -> [ReviewCount] {
        try await reviews(bound: DeskBounds.countedMax)
    }

    /// Lanes in which rows wait although no configuration names them, as many as are told at most.
    ///
    /// - Parameter lanes: those that are configured.
    public func unconfigured(lanes: [String]) async throws(PostgresError) -> [String] {
        try await unconfigured(lanes: lanes, limit: DeskBounds.unconfiguredMax)
    }
}
