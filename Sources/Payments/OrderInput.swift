import Timeline

/// An order as an application, the CLI or the API hands it in; checked at the edge, so that everything behind it is sound.
public struct OrderInput: Hashable, Sendable {
    /// When the order is checked first.
    public enum FirstCheck: Hashable, Sendable {
        /// As the table does by default: soon.
        case byDefault
        /// Not before someone makes it due.
        case never
        case at(Timestamp)
    }

    /// Characters in an id or a reference.
    public static let textLengthMax = 255
    /// Bytes of `metadata`.
    public static let metadataBytesMax = 64 << 10
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

    /// Throws `OrderInputError` for the first value that is not allowed.
    public init(
        id: String, gateway: String, gatewayRef: String? = nil, amountMinor: Int64, currency: String,
        status: String = "pending", createdAt: Timestamp? = nil, expiresAt: Timestamp? = nil,
        giveUpAt: Timestamp? = nil, firstCheck: FirstCheck = .byDefault, metadata: String? = nil
    ) throws(OrderInputError) {
        self.id = try OrderField.text("id", id)
        self.gateway = try OrderField.lane("gateway", gateway)
        self.gatewayRef = if let gatewayRef { try OrderField.text("gateway_ref", gatewayRef) } else { nil }
        self.amountMinor = try OrderField.amount("amount_minor", amountMinor)
        self.currency = try OrderField.currency("currency", currency)
        self.status = try OrderField.status("status", status)
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.giveUpAt = giveUpAt
        self.firstCheck = firstCheck
        self.metadata = metadata
    }

    /// Reads one JSON object with the columns' names; null is as good as absent, but for `next_check_at`, where it puts
    /// the order to rest. Throws `OrderInputError`.
    public init(json: JSONValue) throws(OrderInputError) {
        guard case .object(let members) = json else {
            throw OrderInputError("order", problem: "is not a JSON object", allowed: "an object with id, gateway, …")
        }
        if let unknown = members.first(where: { !Self.fields.contains($0.name) }) {
            let shown = Answer.text(unknown.name).value ?? "a field"
            throw OrderInputError(
                String(shown.prefix(64)), problem: "is not a field of an order",
                allowed: Self.fields.joined(separator: ", "))
        }
        let reader = OrderFieldReader(json)
        try self.init(
            id: try reader.requiredString("id"), gateway: try reader.requiredString("gateway"),
            gatewayRef: try reader.string("gateway_ref"), amountMinor: try reader.amount("amount_minor"),
            currency: try reader.requiredString("currency"), status: try reader.string("status") ?? "pending",
            createdAt: try reader.timestamp("created_at"), expiresAt: try reader.timestamp("expires_at"),
            giveUpAt: try reader.timestamp("give_up_at"), firstCheck: try reader.firstCheck("next_check_at"),
            metadata: try reader.metadata("metadata"))
    }
}

/// A value of an order that is not allowed.
public struct OrderInputError: Error, Hashable, CustomStringConvertible {
    /// The column's name.
    public var field: String
    public var problem: String
    public var allowed: String

    public init(_ field: String, problem: String, allowed: String) {
        self.field = field
        self.problem = problem
        self.allowed = allowed
    }

    public var description: String { "\(field) \(problem); allowed: \(allowed)" }
}
