/// What a settle writes to a delivery besides the schedule columns.
public struct DeliveryChange: Hashable, Sendable {
    /// Nil keeps it, with its reason for review.
    public var status: String?
    /// Whether a call was made; then `statusCode` is its answer's, nil if it had none.
    public var called: Bool
    public var statusCode: Int?
    public var reviewReason: String?
    /// A JSON object as text.
    public var reviewDetail: String?

    public init(
        status: String?, called: Bool = false, statusCode: Int? = nil, reviewReason: String? = nil,
        reviewDetail: String? = nil
    ) {
        self.status = status
        self.called = called
        self.statusCode = statusCode
        self.reviewReason = reviewReason
        self.reviewDetail = reviewDetail
    }
}
