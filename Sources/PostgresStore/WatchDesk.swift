import Postgres
import Reconciling
import Schema
import Timeline

/// What people and programs do with a watch's rows by hand: look, add, nudge, resolve, remove. Each change is recorded in
/// `history` with the actor's name, by the statement that makes it.
public struct WatchDesk<Table: WatchTable>: Sendable {
    package let pool: PostgresPool
    /// The person's name in `history`.
    let actor: String

    public init(pool: PostgresPool, actor: String) {
        self.pool = pool
        self.actor = actor
    }

    /// A page of rows by id, found among a bounded number of them.
    public func page(_ filter: RowFilter, limit: Int) async throws(PostgresError) -> RowPage {
        let parameters: [PostgresParameter] = [
            .text(filter.status), .text(filter.prefix), .text(filter.after), .int4(Int32(clamping: limit)),
            .int4(DeskBounds.lookedAtMax), .bool(filter.isDue),
        ]
        return try await pool.query(PostgresQuery(Table.desk.page, parameters)) { rows in
            var page = RowPage()
            _ = try rows.map { row in
                if let object = try row.readOptional(String.self) { page.rows.append(object) }
                page.next = try row.readOptional(String.self) ?? page.next
            }
            return page
        }
    }

    /// The rows of these lanes that are due longest, as JSON objects.
    public func oldestDue(lanes: [String], limit: Int) async throws(PostgresError) -> [String] {
        try await texts(Table.desk.oldestDue, [.textArray(lanes), .int4(Int32(clamping: limit))])
    }

    /// The rows that wait for a human, as JSON objects; those that wait longest first.
    public func inReview(limit: Int) async throws(PostgresError) -> [String] {
        try await texts(Table.desk.inReview, [.int4(Int32(clamping: limit))])
    }

    /// The ids of rows that go by a name: theirs, or one of the outside world's.
    public func find(_ name: String, lanes: [String], limit: Int) async throws(PostgresError) -> [String] {
        try await texts(Table.desk.find, [.text(name), .textArray(lanes), .int4(Int32(clamping: limit))])
    }

    /// One row as a JSON object; nil if there is none.
    public func show(_ id: String) async throws(PostgresError) -> String? {
        try await texts(Table.desk.show, [.text(id)]).first
    }

    /// The newest entries of a row's history as JSON objects, oldest first.
    public func history(_ id: String, limit: Int = 100) async throws(PostgresError) -> [String] {
        try await texts(.sql("list_history"), [.text(Table.watch), .text(id), .int4(Int32(clamping: limit))])
    }

    /// What the newest questions about a row were answered, as JSON objects, oldest first.
    public func checks(_ id: String, limit: Int = 100) async throws(PostgresError) -> [String] {
        try await texts(.sql("list_checks"), [.text(Table.watch), .text(id), .int4(Int32(clamping: limit))])
    }

    /// Adds rows, all or none if the database refuses one.
    ///
    /// - Parameter objects: a JSON array of objects by column name with distinct ids, validated before.
    public func add(_ objects: String) async throws(PostgresError) -> [AddedRow] {
        let first = try await insert(objects)
        // Someone else added one of them at the same instant: this time it is there to compare with.
        let settled = first.contains { $0.outcome == nil } ? try await insert(objects) : first
        return zip(first, settled).map { before, after in
            let outcome = before.outcome ?? after.outcome ?? .differs
            return AddedRow(id: before.id, outcome: outcome, differing: outcome == .differs ? after.differing : [])
        }
    }

    private func insert(
        _ objects: String
    ) async throws(PostgresError) -> [(id: String, outcome: AddOutcome?, differing: [String])] {
        guard let add = Table.desk.add else { preconditionFailure("\(Table.watch) are not added by hand") }
        return try await pool.query(PostgresQuery(add, [.jsonb(objects), .text(actor)])) { rows in
            try rows.map { row in
                (
                    id: try row.read(), outcome: try row.readOptional(String.self).flatMap(AddOutcome.init),
                    differing: try row.readOptional(String.self).map { $0.split(separator: ",").map(String.init) } ?? []
                )
            }
        }
    }

    /// Makes rows due now; returns the ids that exist.
    ///
    /// - Parameter ids: at most `DeskBounds.rowsMax`.
    public func nudge(_ ids: [String]) async throws(PostgresError) -> [String] {
        try await texts(Table.desk.nudge, [.textArray(ids), .text(actor)])
    }

    /// Sets the status by hand; returns the row as a JSON object, nil if there is none. A check under way finds the
    /// status changed and is overtaken.
    ///
    /// - Parameters:
    ///   - resolution: what else the watch's decision needs.
    ///   - seen: what the decision is about; nothing is changed, and nil returned, where the row is something else by now.
    public func resolve(
        _ id: String, status: String, note: String, _ resolution: Table.Resolution, seen: SeenState? = nil
    ) async throws(PostgresError) -> String? {
        try await texts(
            Table.desk.resolve,
            [.text(id), .text(status), .text(note), .text(actor)] + Table.parameters(for: resolution)
                + [.text(seen?.status), .text(seen?.reviewReason)]
        ).first
    }

    /// Removes a row from the watch; false if there was none.
    public func remove(_ id: String) async throws(PostgresError) -> Bool {
        try await !texts(Table.desk.remove, [.text(id), .text(actor)]).isEmpty
    }

    /// Claims one row for a check by hand; nil if it is not there or someone holds it.
    public func claim(
        _ id: String, poller: PollerIdentity, lease: Duration
    ) async throws(PostgresError) -> Claim<Table.R>? {
        try await claim(Table.desk.claimOne, [.text(poller.id), .interval(lease), .text(id)])
    }

    /// Reads one row as a check sees it, without claiming it; nil if there is none.
    public func read(_ id: String) async throws(PostgresError) -> Claim<Table.R>? {
        try await claim(Table.desk.read, [.text(id)])
    }

    private func claim(
        _ statement: Statement, _ parameters: [PostgresParameter]
    ) async throws(PostgresError) -> Claim<Table.R>? {
        try await pool.query(PostgresQuery(statement, parameters)) { rows in
            try rows.first { row in
                let lane = try row.read(String.self)
                let claimedAt = try row.read(Timestamp.self)
                return try Table.readClaim(lane: lane, claimedAt: claimedAt, from: &row)
            }
        }
    }

    private func texts(
        _ statement: Statement, _ parameters: [PostgresParameter]
    ) async throws(PostgresError) -> [String] {
        try await pool.query(PostgresQuery(statement, parameters)) { rows in
            try rows.map { row in try row.read(String.self) }
        }
    }
}

/// What a row was when a person decided about it.
public struct SeenState: Hashable, Sendable {
    public var status: String
    public var reviewReason: String?

    public init(status: String, reviewReason: String? = nil) {
        self.status = status
        self.reviewReason = reviewReason
    }
}

public enum DeskBounds {
    /// Rows a call at most.
    public static let rowsMax = 10_000
    /// Rows that are looked at for a page at most.
    static let lookedAtMax: Int32 = 20_000
    /// Rows are counted to this, in each lane, by reason, by status: a backlog of millions costs no more than a small one.
    public static let countedMax: Int32 = 10_000
    /// Lanes that are told at most, of those that no configuration names.
    public static let unconfiguredMax = 100
}

/// What became of a row that was to be added.
public struct AddedRow: Hashable, Sendable {
    public var id: String
    public var outcome: AddOutcome
    /// The fields that were sent and stand otherwise, by name.
    public var differing: [String]

    public init(id: String, outcome: AddOutcome, differing: [String]) {
        self.id = id
        self.outcome = outcome
        self.differing = differing
    }
}

public enum AddOutcome: String, Sendable {
    case added
    /// It was there, and every field sent is as it stands.
    case exists
    /// It is there with another value in a field that was sent; nothing was changed.
    case differs
}
