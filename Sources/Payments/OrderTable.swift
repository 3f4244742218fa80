import Postgres
import PostgresStore
import Reconciling
import Schema
import Timeline

/// Binds orders to `reconciled.orders`.
public enum OrderTable: WatchTable {
    public static let watch = "orders"
    public static let claim = Statement.sql("claim_orders")
    public static let due = Statement.sql("due_orders")
    public static let settle = Statement.sql("settle_orders")
    public static let comparesBasis = true
    public static let renew = Statement.sql("renew_orders")
    public static let handBack = Statement.sql("hand_back_orders")
    public static let journal = Statement.sql("journal_orders")
    public static let desk = DeskStatements(rows: "orders", row: "order")

    public static func readClaim(
        lane: String, claimedAt: Timestamp, from row: inout PostgresRowReader
    ) throws(PostgresError) -> Claim<Order> {
        let order = Order(
            id: try row.read(), gateway: lane, gatewayRef: try row.readOptional(), amountMinor: try row.read(),
            currency: try row.read(), status: try row.read(), createdAt: try row.read(),
            expiresAt: try row.readOptional(), giveUpAt: try row.readOptional(), verifiedAt: try row.readOptional(),
            reviewReason: try row.readOptional())
        return Claim(
            row: order, lease: Lease(token: try row.read()),
            dueAt: try row.readOptional(), claimedAt: claimedAt, cadenceAnchor: order.createdAt,
            checkCount: try row.read(),
            failureCount: try row.read(), claimCount: try row.read(), progress: try row.readOptional())
    }

    public static func parameters(for changes: [OrderChange?]) -> [PostgresParameter] {
        [
            .boolArray(changes.map { $0 != nil }),
            .textArray(changes.map { $0?.status }),
            .timestamptzArray(changes.map { $0?.paidAt }),
            .textArray(changes.map { $0?.gatewayTxnID }),
            .textArray(changes.map { $0?.gatewayState }),
            .textArray(changes.map { $0?.reviewReason }),
            .jsonbArray(changes.map { $0?.reviewDetail }),
            .boolArray(changes.map { $0?.verified ?? false }),
        ]
    }

    public typealias Resolution = OrderResolution

    public static func parameters(for resolution: OrderResolution) -> [PostgresParameter] {
        [.text(resolution.transaction), .interval(resolution.giveUpAfter)]
    }
}

/// What a person's decision about an order needs.
public struct OrderResolution: Hashable, Sendable {
    /// The gateway's transaction; required by the caller for `paid`. Nil keeps what is there.
    public var transaction: String?
    /// For `pending`: how long until the order is given up again.
    public var giveUpAfter: Duration

    public init(transaction: String? = nil, giveUpAfter: Duration) {
        self.transaction = transaction
        self.giveUpAfter = giveUpAfter
    }
}
