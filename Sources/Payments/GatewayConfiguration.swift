import Outgoing
import Reconciling
import Settings
import Timeline

/// One gateway of the configuration, checked.
public struct GatewayConfiguration: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case stripe(StripeGateway.Settings)
        case http(HTTPGateway.Settings)
        case fixed(FixedGateway.Settings)
        /// Understood, but not asked by this version: alipay, wechatpay, paypal.
        case unsupported(String)
    }

    /// The lane.
    public var name: String
    public var kind: Kind
    public var policy: OrderPolicy
    public var timeout: Duration
    /// Calls in a while at most, over all pollers; nil is unlimited.
    public var rate: Rate?
    /// Checks in flight at most; nil leaves it to the watch's.
    public var concurrency: Int?

    public init(
        name: String, kind: Kind, policy: OrderPolicy = .init(), timeout: Duration = .seconds(10), rate: Rate? = nil,
        concurrency: Int? = nil
    ) {
        self.name = name
        self.kind = kind
        self.policy = policy
        self.timeout = timeout
        self.rate = rate
        self.concurrency = concurrency
    }

    /// What the engine needs to know.
    public var lane: LaneConfiguration {
        LaneConfiguration(name: name, concurrency: concurrency, timeout: timeout, cadence: policy.cadence)
    }

    /// Why `closeAtGateway` would never act under leases of this length, nil if it can: a call that closes starts only
    /// with more than its timeout left of the lease.
    public func closeProblem(lease: Duration) -> String? {
        policy.closesAtGateway && timeout >= lease
            ? "closeAtGateway never acts: timeout must be shorter than the lease of the orders" : nil
    }

    /// What the orders' reconciler needs to know.
    public func orderLane(http: OutgoingClient) -> OrderLane {
        let gateway: any Gateway =
            switch kind {
            case .stripe(let settings): StripeGateway(settings, http: http)
            case .http(let settings): HTTPGateway(settings, http: http)
            case .fixed(let settings): FixedGateway(settings)
            case .unsupported(let kind): UnsupportedGateway(kind: kind)
            }
        return OrderLane(gateway: gateway, policy: policy, timeout: timeout)
    }
}

extension OrderReconciler {
    public init(gateways: [GatewayConfiguration], http: OutgoingClient) {
        self.init(
            lanes: Dictionary(
                gateways.map { ($0.name, $0.orderLane(http: http)) }, uniquingKeysWith: { first, _ in first })
        )
    }
}
