/// One gateway as the orders' reconciler uses it.
public struct OrderLane: Sendable {
    public var gateway: any Gateway
    public var policy: OrderPolicy
    /// A single call's; more than this must be left of the lease before a call that changes the outside world.
    public var timeout: Duration

    public init(gateway: any Gateway, policy: OrderPolicy = .init(), timeout: Duration = .seconds(10)) {
        self.gateway = gateway
        self.policy = policy
        self.timeout = timeout
    }
}
