import Console
import JSON
import Logging
import Postgres
import PostgresStore
import Reconciling

/// A watch as the program serves it: what `run` polls, and what commands show and change. One type for each, with all that
/// commands and the poller process need to know of it.
protocol ServedWatch: Sendable {
    associatedtype Table: WatchTable
    associatedtype Asker: Reconciler<Table.R, Table.Change>

    init(_ configuration: Configuration)

    // MARK: the poller

    var settings: WatchConfiguration { get }
    /// Those that the configuration names.
    var lanes: [LaneConfiguration] { get }

    func reconciler(_ outside: OutsideWorld) -> Asker

    /// The same, only asking: nothing is changed, here or outside.
    func dryRunning() -> Self

    /// Whether the configuration says that this lane only asks.
    func isDryRunning(_ lane: String) -> Bool

    /// Makes the metrics of its own stand there before anything happened.
    func announce(in registry: MetricsRegistry)

    /// Counts what was written to a row.
    func count(_ settlement: Settlement<String, Table.Change>, in registry: MetricsRegistry)

    // MARK: its words

    /// One row: `order`.
    static var noun: String { get }
    /// What a lane is to this watch: `gateway`.
    static var laneNoun: String { get }
    /// The statuses that a row may have.
    static var statuses: [String] { get }
    /// The statuses that a person may decide for.
    static var decisions: [String] { get }
    /// Whether a decision may name the transaction that proves it.
    static var takesTransaction: Bool { get }
    /// What they do, for `resolve --help` and the dashboard's form.
    static var decisionsHelp: String { get }
    /// What a waiting row's status says, for findings.
    static var waitingStatus: String { get }

    // MARK: its rows

    static var columns: [TextTable.Column] { get }
    /// A row in a table, one cell a column.
    static func cells(of row: RowText) -> [String?]
    /// What people want to read behind a column's value: `19.99 EUR`.
    static func note(on column: String, of row: RowText) -> String?
    /// A row as a JSON object, for those who may read and not add: without what may be a secret.
    static func withoutSecrets(_ row: String) throws(JSONError) -> String
    /// What an object that is to be added may hold, as JSON Schema; nil where rows are not added by hand.
    static var inputSchema: String? { get }
    /// Throws what is wrong with a decision.
    static func validate(_ decision: Decision) throws(InputError)
    /// Throws, naming `field`, what no row's id can be, and no page can begin behind.
    static func validate(after id: String, as field: String) throws(InputError)
    func resolution(_ decision: Decision, lane: String?) -> Table.Resolution
    /// What a unique constraint says to people.
    static func conflict(with decision: Decision?) -> String

    static func reviewReason(after change: Table.Change) -> String?
    /// What a dry run would have done besides a change of status, in words; nil if nothing.
    static func effect(of would: JSONValue) -> String?

    /// Checks one object that is to be added, as this configuration allows it; returns its id.
    func validate(_ json: JSONValue) throws(InputError) -> String

    // MARK: its state

    /// What `status` shows of it besides lanes and counts.
    func digest(_ pool: PostgresPool) async throws -> WatchDigest?
    /// What `doctor` finds out by looking at the lanes themselves.
    func examineLanes(_ outside: OutsideWorld) async -> [DoctorFinding]
}

extension ServedWatch {
    static var name: String { Table.watch }
    var name: String { Table.watch }

    func announce(in registry: MetricsRegistry) {}
    func count(_ settlement: Settlement<String, Table.Change>, in registry: MetricsRegistry) {}
    static func note(on column: String, of row: RowText) -> String? { nil }
    static func withoutSecrets(_ row: String) throws(JSONError) -> String { row }
    static var inputSchema: String? { nil }
    static var takesTransaction: Bool { false }

    static func validate(_ decision: Decision) throws(InputError) {
        guard decision.transaction == nil else {
            throw InputError("txn", problem: "is not for \(name)", allowed: "none")
        }
    }

    static func validate(after id: String, as field: String) throws(InputError) {}
    static func effect(of would: JSONValue) -> String? { nil }
    func digest(_ pool: PostgresPool) async throws -> WatchDigest? { nil }
    func examineLanes(_ outside: OutsideWorld) async -> [DoctorFinding] { [] }
}

/// A watch's own part of `status`.
struct WatchDigest: Sendable {
    /// For people; with a line break at the end.
    var text: String
    /// JSON members by name.
    var members: [(name: String, json: String)]
}

extension ServedWatch {
    static func desk(_ pool: PostgresPool, actor: String = DatabaseSession.actor) -> any RowDesk {
        WatchDesk<Table>(pool: pool, actor: actor)
    }

    static func overview(_ pool: PostgresPool) -> any RowOverview { WatchOverview<Table>(pool: pool) }

    /// Sets the status by hand; nil if there is no such row. Throws `ConflictError` when another row stands against it, or
    /// when the row is not any more what the person saw.
    func resolve(
        _ id: String, _ decision: Decision, pool: PostgresPool, actor: String = DatabaseSession.actor
    ) async throws -> String? {
        let desk = WatchDesk<Table>(pool: pool, actor: actor)
        guard let before = try await desk.show(id) else { return nil }
        let lane = RowText(try JSONValue(row: before))[Self.laneNoun]
        do throws(PostgresError) {
            let resolved = try await desk.resolve(
                id, status: decision.status, note: decision.note, resolution(decision, lane: lane), seen: decision.seen)
            if let resolved { return resolved }
        } catch {
            guard error.sqlState == "23505" else { throw error }
            throw ConflictError(Self.conflict(with: decision))
        }
        guard decision.seen != nil, let now = try await desk.show(id) else { return nil }
        let row = RowText(try JSONValue(row: now))
        let reason = row["review_reason"].map { " (\($0))" } ?? ""
        throw ConflictError("the \(Self.noun) has changed meanwhile: it is \(row["status"] ?? "")\(reason) now")
    }

    static func noRow(_ id: String) -> CommandFailure {
        CommandFailure("there is no \(noun) \(TerminalText.printable(JSONText.quoted(String(id.prefix(100)))))")
    }
}
