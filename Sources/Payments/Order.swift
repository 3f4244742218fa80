import JSON
import Reconciling
import Timeline

/// A row of `reconciled.orders` as its claim read it.
public struct Order: Row, Hashable {
    /// The merchant's order number.
    public var id: String
    /// The lane.
    public var gateway: String
    /// The gateway's own reference, e.g. a PaymentIntent; asked by it instead of `id` when set.
    public var gatewayRef: String?
    /// Minor units by the currency's ISO 4217 exponent, above zero.
    public var amountMinor: Int64
    /// ISO 4217, upper case.
    public var currency: String
    /// `pending`, `paid`, `closed`, `cancelled`, `review`; text, for a mapped table may hold others.
    public var status: String
    public var createdAt: Timestamp
    /// Unpaid after this: close. Nil: never by us.
    public var expiresAt: Timestamp?
    /// Nil: `createdAt` plus the gateway's `giveUpAfter`.
    public var giveUpAt: Timestamp?
    /// The last time a paid row was re-verified.
    public var verifiedAt: Timestamp?
    public var reviewReason: String?

    public var lane: String { gateway }

    /// What an answer is compared with: where the row says something else meanwhile, it is no proof of that.
    public var basis: String? {
        JSONValue.array([
            .string(gateway), gatewayRef.map { .string($0) } ?? .null, .number("\(amountMinor)"), .string(currency),
        ]).text
    }

    public init(
        id: String, gateway: String, gatewayRef: String? = nil, amountMinor: Int64, currency: String,
        status: String = "pending", createdAt: Timestamp, expiresAt: Timestamp? = nil, giveUpAt: Timestamp? = nil,
        verifiedAt: Timestamp? = nil, reviewReason: String? = nil
    ) {
        self.id = id
        self.gateway = gateway
        self.gatewayRef = gatewayRef
        self.amountMinor = amountMinor
        self.currency = currency
        self.status = status
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.giveUpAt = giveUpAt
        self.verifiedAt = verifiedAt
        self.reviewReason = reviewReason
    }
}
