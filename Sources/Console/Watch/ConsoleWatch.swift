import JSON
import Postgres
import PostgresStore

/// A watch as the HTTP interface and the dashboard show and change it.
public protocol ConsoleWatch: Sendable {
    /// `orders`; also its path, `/v1/orders`.
    var name: String { get }
    /// One row: `order`.
    var noun: String { get }
    /// The column that names a row's lane: `gateway`.
    var laneColumn: String { get }
    /// The lanes that the configuration names.
    var laneNames: [String] { get }
    /// The statuses that a row may have.
    var statuses: [String] { get }
    /// Those that a person may decide for.
    var decisions: [String] { get }
    /// What they do.
    var decisionsHelp: String { get }
    /// Whether a decision may name the transaction that proves it.
    var takesTransaction: Bool { get }

    /// - Parameter actor: who is to stand in `history`.
    func desk(actor: String) -> any RowDesk
    func overview() -> any RowOverview

    /// What an object that is to be added may hold, as JSON Schema; nil where rows are not added by hand.
    var inputSchema: String? { get }
    /// Checks one object that is to be added; returns its id.
    func validate(_ object: JSONValue) throws(InputError) -> String
    /// Throws what is wrong with a decision.
    func validate(_ decision: Decision) throws(InputError)
    /// Throws, naming `field`, what no row's id can be, and no page can begin behind.
    func validate(after id: String, as field: String) throws(InputError)

    /// Sets the status by hand; returns the row as a JSON object, nil if there is none.
    ///
    /// Throws `ConflictError` when another row stands against it, else `PostgresError`.
    func resolve(_ id: String, _ decision: Decision, actor: String) async throws -> String?

    /// A row as a JSON object, for those who may read and not add: without what may be a secret.
    func withoutSecrets(_ row: String) throws(JSONError) -> String

    /// What a unique constraint says to people when a row is added.
    var addConflict: String { get }

    /// What people want to read behind a column's value of a row: `19.99 EUR`; nil for nothing.
    func note(on column: String, of row: JSONValue) -> String?
}

extension ConsoleWatch {
    /// How many rows wait for a human.
    func reviewCount() async throws(PostgresError) -> RowCount {
        try await overview().reviews().reduce(RowCount(0)) { $0 + $1.rows }
    }

    /// Lanes in which rows wait although the configuration does not name them.
    func unconfiguredLanes() async throws(PostgresError) -> [String] {
        try await overview().unconfigured(lanes: laneNames)
    }
}

/// What a person decides about a row.
public struct Decision: Sendable {
    public var status: String
    /// Why, in words.
    public var note: String
    /// Orders: the gateway's transaction.
    public var transaction: String?
    /// What the row was when it was looked at. Nil: it is decided about whatever it has become.
    public var seen: SeenState?

    public init(status: String, note: String, transaction: String? = nil, seen: SeenState? = nil) {
        self.status = status
        self.note = note
        self.transaction = transaction
        self.seen = seen
    }
}

/// Another row stands against what was asked.
public struct ConflictError: Error, Hashable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) {
        self.description = description
    }
}
