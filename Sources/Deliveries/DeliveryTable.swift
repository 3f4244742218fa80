import Postgres
import PostgresStore
import Reconciling
import Schema
import Timeline

/// Binds deliveries to `reconciled.deliveries`.
///
/// Their ids are numbers there and texts here. A poller's lower bound compares them as texts: where the number of digits
/// grows, its bound stays lower than it could be, never higher.
public enum DeliveryTable: WatchTable {
    /// A decision about a delivery needs nothing besides its status.
    public struct Resolution: Hashable, Sendable {
        public init() {}
    }

    public static let watch = "deliveries"
    public static let claim = Statement.sql("claim_deliveries")
    public static let due = Statement.sql("due_deliveries")
    public static let settle = Statement.sql("settle_deliveries")
    public static let renew = Statement.sql("renew_deliveries")
    public static let handBack = Statement.sql("hand_back_deliveries")
    public static let journal = Statement.sql("journal_deliveries")
    public static let desk = DeskStatements(rows: "deliveries", row: "delivery", isAddable: false)

    public static func readClaim(
        lane: String, claimedAt: Timestamp, from row: inout PostgresRowReader
    ) throws(PostgresError) -> Claim<Delivery> {
        var delivery = Delivery(
            id: try row.read(), endpoint: lane, eventID: try row.read(), eventType: try row.read(),
            subject: try row.read(), payload: try row.read(), status: try row.read())
        let createdAt = try row.read(Timestamp.self)
        delivery.waitsFor = try row.readOptional()
        return Claim(
            row: delivery, lease: Lease(token: try row.read()), dueAt: try row.readOptional(), claimedAt: claimedAt,
            cadenceAnchor: createdAt, checkCount: try row.read(), failureCount: try row.read(),
            claimCount: try row.read(), progress: try row.readOptional())
    }

    public static func parameters(for changes: [DeliveryChange?]) -> [PostgresParameter] {
        [
            .boolArray(changes.map { $0?.status != nil }),
            .textArray(changes.map { $0?.status }),
            .boolArray(changes.map { $0?.called ?? false }),
            .int4Array(changes.map { $0?.statusCode.map { Int32(clamping: $0) } }),
            .textArray(changes.map { $0?.reviewReason }),
            .jsonbArray(changes.map { $0?.reviewDetail }),
        ]
    }

    public static func parameters(for resolution: Resolution) -> [PostgresParameter] { [] }

    /// Whether a delivery can have this id; `reconciled.delivery_id` says the same.
    public static func isID(_ text: String) -> Bool {
        (1...18).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
            && text.utf8.first != UInt8(ascii: "0")
    }
}
