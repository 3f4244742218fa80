import Postgres
import Schema

/// A watch's statements for `WatchDesk` and `WatchOverview`, each a file in `sql/`.
public struct DeskStatements: Sendable {
    public var page: Statement
    public var oldestDue: Statement
    public var inReview: Statement
    public var find: Statement
    public var show: Statement
    /// Nil: its rows come from elsewhere.
    public var add: Statement?
    public var nudge: Statement
    public var resolve: Statement
    public var remove: Statement
    public var claimOne: Statement
    public var read: Statement
    public var statusByLane: Statement
    public var countByStatus: Statement
    public var countInReview: Statement
    public var audit: Statement
    public var unconfigured: Statement

    /// The files of a table of ours; traps where one is missing.
    ///
    /// - Parameters:
    ///   - rows: the word for several, as in `page_orders.sql`.
    ///   - row: the word for one, as in `show_order.sql`.
    ///   - isAddable: whether people and programs add rows.
    public init(rows: String, row: String, isAddable: Bool = true) {
        page = .sql("page_\(rows)")
        oldestDue = .sql("oldest_due_\(rows)")
        inReview = .sql("review_\(rows)")
        find = .sql("find_\(rows)")
        show = .sql("show_\(row)")
        add = isAddable ? .sql("add_\(rows)") : nil
        nudge = .sql("nudge_\(rows)")
        resolve = .sql("resolve_\(row)")
        remove = .sql("remove_\(row)")
        claimOne = .sql("claim_\(row)")
        read = .sql("read_\(row)")
        statusByLane = .sql("status_\(rows)")
        countByStatus = .sql("count_\(rows)_by_status")
        countInReview = .sql("count_\(rows)_in_review")
        audit = .sql("audit_\(rows)")
        unconfigured = .sql("unconfigured_\(rows)")
    }
}
