import Timeline

/// What a settle writes to a timer besides the schedule columns.
public struct TimerChange: Hashable, Sendable {
    public var status: String
    /// The instant of the grid that comes next, written as it stands: no delay of ours moves it. Nil: the settle's delay
    /// from the database's present.
    public var nextAt: Timestamp?
    /// Runs that are over with this check: none or one.
    public var runs: Int
    /// Whether a call was made; then `statusCode` is its answer's, nil if it had none.
    public var called: Bool
    public var statusCode: Int?
    public var reviewReason: String?
    /// A JSON object as text.
    public var reviewDetail: String?

    public init(
        status: String, nextAt: Timestamp? = nil, runs: Int = 0, called: Bool = false, statusCode: Int? = nil,
        reviewReason: String? = nil, reviewDetail: String? = nil
    ) {
        self.status = status
        self.nextAt = nextAt
        self.runs = runs
        self.called = called
        self.statusCode = statusCode
        self.reviewReason = reviewReason
        self.reviewDetail = reviewDetail
    }
}
