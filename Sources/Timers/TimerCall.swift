import Timeline

/// The HTTP call that a timer makes, as its row has it.
public struct TimerCall: Hashable, Sendable {
    public var url: String
    public var method: String
    /// A JSON object of texts; nil for none.
    public var headers: String?
    public var body: String?
    /// Nil: the lane's, which is the most in any case.
    public var timeout: Duration?
    /// Nil: any from 200 to 299.
    public var expectStatus: Int?

    public init(
        url: String, method: String = "GET", headers: String? = nil, body: String? = nil, timeout: Duration? = nil,
        expectStatus: Int? = nil
    ) {
        self.url = url
        self.method = method
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.expectStatus = expectStatus
    }

    func isExpected(_ status: Int) -> Bool { expectStatus.map { $0 == status } ?? (200...299).contains(status) }
}
