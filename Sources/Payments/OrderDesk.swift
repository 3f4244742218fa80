import Postgres
import PostgresStore
import Reconciling
import Schema
import Timeline

/// What people and programs do with orders by hand: look, add, nudge, resolve, remove. Each change is recorded in
/// `history` with the actor's name, by the statement that makes it.
public struct OrderDesk: Sendable {
    /// At most so many rows a call.
    public static let limitMax = 10_000

    let pool: PostgresPool
    /// The person's name in `history`.
    let actor: String

    public init(pool: PostgresPool, actor: String) {
        self.pool = pool
        self.actor = actor
    }

    /// Orders by id as JSON objects, after the given id.
    public func list(
        status: String? = nil, dueOnly: Bool = false, after id: String = "", limit: Int
    ) async throws(PostgresError) -> [String] {
        try await texts("list_orders", [.text(status), .bool(dueOnly), .text(id), .int4(Int32(clamping: limit))])
    }

    /// One order as a JSON object; nil if there is none.
    public func show(_ id: String) async throws(PostgresError) -> String? {
        try await texts("show_order", [.text(id)]).first
    }

    /// The newest entries of an order's history as JSON objects, oldest first.
    public func history(_ id: String, limit: Int = 100) async throws(PostgresError) -> [String] {
        try await texts("list_history", [.text(OrderTable.watch), .text(id), .int4(Int32(clamping: limit))])
    }

    /// What the newest questions about an order were answered, as JSON objects, oldest first.
    public func checks(_ id: String, limit: Int = 100) async throws(PostgresError) -> [String] {
        try await texts("list_checks", [.text(OrderTable.watch), .text(id), .int4(Int32(clamping: limit))])
    }

    public enum AddOutcome: String, Sendable {
        case added
        /// It was there, and every field sent is as it stands.
        case exists
        /// It is there with another value in a field that was sent; nothing was changed.
        case differs
    }

    /// Adds orders, all or none if the database refuses one.
    ///
    /// - Parameter objects: a JSON array of objects by column name with distinct ids, validated before.
    public func add(_ objects: String) async throws(PostgresError) -> [(id: String, outcome: AddOutcome)] {
        let first = try await insert(objects)
        // Someone else added one of them at the same instant: this time it is there to compare with.
        let settled = first.contains { $0.outcome == nil } ? try await insert(objects) : first
        return zip(first, settled).map { before, after in
            (id: before.id, outcome: before.outcome ?? after.outcome ?? .differs)
        }
    }

    private func insert(_ objects: String) async throws(PostgresError) -> [(id: String, outcome: AddOutcome?)] {
        try await pool.query(PostgresQuery(.sql("add_orders"), [.jsonb(objects)])) { rows in
            try rows.map { row in
                (id: try row.read(), outcome: try row.readOptional(String.self).flatMap(AddOutcome.init))
            }
        }
    }

    /// Makes orders due now; returns the ids that exist.
    public func nudge(_ ids: [String]) async throws(PostgresError) -> [String] {
        try await texts("nudge_orders", [.textArray(ids), .text(actor)])
    }

    /// Sets the status by hand; returns the order as a JSON object, nil if there is none.
    ///
    /// - Parameters:
    ///   - transaction: the gateway's transaction; required by the caller for `paid`.
    ///   - giveUpAfter: for `pending`: how long until the order is given up again.
    public func resolve(
        _ id: String, status: String, note: String, transaction: String?, giveUpAfter: Duration
    ) async throws(PostgresError) -> String? {
        try await texts(
            "resolve_order",
            [.text(id), .text(status), .text(note), .text(transaction), .text(actor), .interval(giveUpAfter)]
        ).first
    }

    /// Removes an order from the watch; false if there was none.
    public func remove(_ id: String) async throws(PostgresError) -> Bool {
        try await !texts("remove_order", [.text(id), .text(actor)]).isEmpty
    }

    /// Claims one order for a check by hand; nil if it is not there or someone holds it.
    public func claim(
        _ id: String, poller: PollerIdentity, lease: Duration
    ) async throws(PostgresError) -> Claim<Order>? {
        try await claim("claim_order", [.text(poller.id), .interval(lease), .text(id)])
    }

    /// Reads one order as a check sees it, without claiming it; nil if there is none.
    public func read(_ id: String) async throws(PostgresError) -> Claim<Order>? {
        try await claim("read_order", [.text(id)])
    }

    private func claim(_ name: String, _ parameters: [PostgresParameter]) async throws(PostgresError) -> Claim<Order>? {
        try await pool.query(PostgresQuery(.sql(name), parameters)) { rows in
            try rows.first { row in
                let lane = try row.read(String.self)
                let claimedAt = try row.read(Timestamp.self)
                return try OrderTable.readClaim(lane: lane, claimedAt: claimedAt, from: &row)
            }
        }
    }

    private func texts(_ name: String, _ parameters: [PostgresParameter]) async throws(PostgresError) -> [String] {
        try await pool.query(PostgresQuery(.sql(name), parameters)) { rows in
            try rows.map { row in try row.read(String.self) }
        }
    }
}
