import Timeline

/// What a settle writes to an order besides the schedule columns.
public struct OrderChange: Hashable, Sendable {
    /// Equal to the status before where only the reason or the gateway's state changes.
    public var status: String
    /// Nil keeps what is there; likewise for the next two.
    public var paidAt: Timestamp?
    public var gatewayTxnID: String?
    public var gatewayState: String?
    /// Written as it is: nil clears it; likewise for the detail, a JSON object as text.
    public var reviewReason: String?
    public var reviewDetail: String?
    /// Sets `verified_at` to the database's clock.
    public var verified: Bool

    public init(
        status: String, paidAt: Timestamp? = nil, gatewayTxnID: String? = nil, gatewayState: String? = nil,
        reviewReason: String? = nil, reviewDetail: String? = nil, verified: Bool = false
    ) {
        self.status = status
        self.paidAt = paidAt
        self.gatewayTxnID = gatewayTxnID
        self.gatewayState = gatewayState
        self.reviewReason = reviewReason
        self.reviewDetail = reviewDetail
        self.verified = verified
    }
}
