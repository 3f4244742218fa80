import JSON
import Postgres
import PostgresStore
import Schema

/// Which order a gateway's notification may be about. It is a hint and no more: nothing is verified, and nothing that it
/// says is believed.
///
/// Every kind's own shape is tried on every notification: one that names nothing of ours makes nothing due.
public struct GatewayNotification: Hashable, Sendable {
    static let hintsMax = 16

    /// May be an order's `id`.
    public private(set) var ids: [String] = []
    /// May be an order's `gateway_ref`.
    public private(set) var references: [String] = []

    /// - Parameters:
    ///   - parameters: of the query and, if the body is a form, of that.
    ///   - body: the body if it is JSON.
    public init(parameters: [(name: String, value: String)], body: JSONValue?) {
        for parameter in parameters {
            switch parameter.name {
            // out_trade_no: Alipay.
            case "id", "out_trade_no": add(id: parameter.value)
            case "gateway_ref": add(reference: parameter.value)
            default: break
            }
        }
        guard let body else { return }
        for name in ["id", "out_trade_no"] { add(id: body[name]?.string) }
        add(reference: body["gateway_ref"]?.string)
        // Stripe: an event about a PaymentIntent, or about what belongs to one.
        let object = body["data"]?["object"]
        add(reference: object?["id"]?.string)
        add(reference: object?["payment_intent"]?.string)
        // PayPal: an order, or a capture of one.
        let resource = body["resource"]
        add(reference: resource?["id"]?.string)
        add(reference: resource?["supplementary_data"]?["related_ids"]?["order_id"]?.string)
        for name in ["invoice_id", "custom_id"] { add(id: resource?[name]?.string) }
    }

    private mutating func add(id: String?) {
        if let id, Self.isHint(id), ids.count < Self.hintsMax { ids.append(id) }
    }

    private mutating func add(reference: String?) {
        if let reference, Self.isHint(reference), references.count < Self.hintsMax { references.append(reference) }
    }

    private static func isHint(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= FieldRules.textLengthMax * 4 && !text.utf8.contains(0)
    }
}

extension WatchDesk<OrderTable> {
    /// Makes the orders due that a notification may be about, at most once in five seconds each; returns how many.
    public func notify(_ notification: GatewayNotification, gateway: String) async throws(PostgresError) -> Int {
        guard !notification.ids.isEmpty || !notification.references.isEmpty else { return 0 }
        let parameters: [PostgresParameter] = [
            .text(gateway), .textArray(notification.ids), .textArray(notification.references),
        ]
        return try await pool.query(PostgresQuery(.sql("notify_orders"), parameters)) { $0.count }
    }
}
