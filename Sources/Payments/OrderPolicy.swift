import Reconciling
import Timeline

/// What a gateway's configuration says about its orders: the constants of the decision table.
public struct OrderPolicy: Hashable, Sendable {
    /// What a payment must prove besides amount and currency, which are always required.
    public struct Requirements: Hashable, Sendable {
        public enum Reference: Hashable, Sendable {
            /// The gateway's answers name no order.
            case none
            case orderID
            case gatewayRef
            /// Asked by the gateway's own reference, the answer may name the order by either.
            case gatewayRefOrOrderID
        }

        public var reference: Reference
        /// Our merchant's name at the gateway; nil if its answers name none.
        public var merchant: String?

        public init(reference: Reference = .none, merchant: String? = nil) {
            self.reference = reference
            self.merchant = merchant
        }
    }

    public var requirements: Requirements
    public var cadence: [Duration]
    /// From `created_at`; for orders without a `give_up_at` of their own.
    public var giveUpAfter: Duration
    /// Orders created before are put to rest once, unasked.
    public var cutOff: Timestamp?
    /// Whether an order unpaid past `expires_at` is closed at the gateway by us.
    public var closesAtGateway: Bool
    /// Whether a paid order that falls due is asked about once more instead of put to rest.
    public var reverifiesPaid: Bool
    /// Whether nothing but the schedule is written.
    public var isDryRun: Bool

    public init(
        requirements: Requirements = .init(), cadence: [Duration] = LaneConfiguration.defaultCadence,
        giveUpAfter: Duration = .seconds(7 * 86_400), cutOff: Timestamp? = nil, closesAtGateway: Bool = false,
        reverifiesPaid: Bool = false, isDryRun: Bool = false
    ) {
        self.requirements = requirements
        self.cadence = cadence
        self.giveUpAfter = giveUpAfter
        self.cutOff = cutOff
        self.closesAtGateway = closesAtGateway
        self.reverifiesPaid = reverifiesPaid
        self.isDryRun = isDryRun
    }

    public func giveUpAt(_ order: Order) -> Timestamp { order.giveUpAt ?? order.createdAt + giveUpAfter }
}
