import Postgres
import Reconciling
import Timeline

/// Binds a watch to its table: its statements in `sql/`, and how its rows and changes travel.
///
/// The statements of every watch take the same leading parameters and give the same leading columns; see
/// `sql/claim_orders.sql` and `sql/settle_orders.sql`.
public protocol WatchTable: Sendable {
    associatedtype R: Row where R.ID == String
    associatedtype Change: Sendable
    /// What a person's decision needs besides the status and a note.
    associatedtype Resolution: Sendable

    static var watch: String { get }
    static var claim: Statement { get }
    /// Where rows are that are due and held by nobody.
    static var due: Statement { get }
    static var settle: Statement { get }
    /// Whether `settle` compares the rows' `basis`: its last array then.
    static var comparesBasis: Bool { get }
    static var renew: Statement { get }
    static var handBack: Statement { get }
    static var journal: Statement { get }
    /// For people and metrics; pollers do without them.
    static var desk: DeskStatements { get }

    /// Reads the columns after `claimed_at` of a claimed row.
    static func readClaim(
        lane: String, claimedAt: Timestamp, from row: inout PostgresRowReader
    ) throws(PostgresError) -> Claim<R>

    /// The settle's arrays after the common ones, one element a change; nil where nothing changes.
    static func parameters(for changes: [Change?]) -> [PostgresParameter]

    /// The parameters of `desk.resolve` after id, status, note and actor.
    static func parameters(for resolution: Resolution) -> [PostgresParameter]
}

extension WatchTable {
    public static var comparesBasis: Bool { false }
}
