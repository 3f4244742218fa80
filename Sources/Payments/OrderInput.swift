import JSON
import Timeline

/// An order as an application, the CLI or the API hands it in; checked at the edge, so that everything behind it is sound.
public struct OrderInput: Hashable, Sendable {
    /// The fields that a JSON object may have: the columns' names.
    public static let fields = [
        "id", "gateway", "gateway_ref", "amount_minor", "currency", "status", "created_at", "expires_at", "give_up_at",
        "next_check_at", "metadata",
    ]

    public var id: String
    public var gateway: String
    public var gatewayRef: String?
    public var amountMinor: Int64
    public var currency: String
    /// `pending`, `cancelled` or `closed`; an order becomes `paid` by proof.
    public var status: String
    /// Nil: now.
    public var createdAt: Timestamp?
    public var expiresAt: Timestamp?
    public var giveUpAt: Timestamp?
    public var firstCheck: FirstCheck
    /// A JSON object as text.
    public var metadata: String?

    /// Throws `InputError` for the first value that is not allowed.
    public init(
        id: String, gateway: String, gatewayRef: String? = nil, amountMinor: Int64, currency: String,
        status: String = "pending", createdAt: Timestamp? = nil, expiresAt: Timestamp? = nil,
        giveUpAt: Timestamp? = nil, firstCheck: FirstCheck = .byDefault, metadata: String? = nil
    ) throws(InputError) {
        self.id = try FieldRules.text("id", id)
        self.gateway = try FieldRules.lane("gateway", gateway, what: "gateway")
        self.gatewayRef = if let gatewayRef { try FieldRules.text("gateway_ref", gatewayRef) } else { nil }
        self.amountMinor = try OrderField.amount("amount_minor", amountMinor)
        self.currency = try OrderField.currency("currency", currency)
        self.status = try OrderField.status("status", status)
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.giveUpAt = giveUpAt
        self.firstCheck = firstCheck
        self.metadata = metadata
    }

    /// Reads one JSON object with the columns' names; null stands for what a field is when left out, but for
    /// `next_check_at`, where it puts the order to rest. Throws `InputError`.
    public init(json: JSONValue) throws(InputError) {
        let reader = try FieldReader(json, what: "order", fields: Self.fields)
        try self.init(
            id: try reader.requiredString("id"), gateway: try reader.requiredString("gateway"),
            gatewayRef: try reader.string("gateway_ref"),
            amountMinor: try reader.requiredInteger(
                "amount_minor", in: 1...Int64.max, allowed: OrderField.amountAllowed),
            currency: try reader.requiredString("currency"), status: try reader.string("status") ?? "pending",
            createdAt: try reader.timestamp("created_at"), expiresAt: try reader.timestamp("expires_at"),
            giveUpAt: try reader.timestamp("give_up_at"), firstCheck: try reader.firstCheck("next_check_at"),
            metadata: try reader.metadata("metadata"))
    }
}
