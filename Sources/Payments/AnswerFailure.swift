/// Why a gateway gave no usable answer.
public struct AnswerFailure: Error, Hashable {
    public enum Kind: String, Sendable, CaseIterable {
        /// Refused, reset, cut off, TLS failed. Counts for the lane, as the next three do.
        case connection
        case timeout
        /// 5xx.
        case server
        /// 429.
        case throttled
        /// Garbage, too large, or a value that we do not know. Counts for the row, as the next two do.
        case unreadable
        /// Another status that says nothing about the order: 409, a redirect.
        case rejected
        /// The order lacks what the question needs; the gateway was not asked.
        case unaskable
        /// Our configuration.
        case configuration
        /// The check was cancelled before its deadline: we are stopping.
        case interrupted
    }

    public var kind: Kind
    /// The HTTP status where there was one.
    public var status: Int?
    /// How long the gateway asks to be left alone.
    public var retryAfter: Duration?
    /// For people; no secrets, and nothing of a body that we could not read.
    public var problem: String

    public init(_ kind: Kind, status: Int? = nil, retryAfter: Duration? = nil, problem: String) {
        self.kind = kind
        self.status = status
        self.retryAfter = retryAfter
        self.problem = problem
    }

    /// Whether the gateway said nothing at all, as opposed to something that we cannot use.
    public var isSilence: Bool {
        switch kind {
        case .connection, .timeout, .server, .throttled, .interrupted, .unaskable: true
        case .unreadable, .rejected, .configuration: false
        }
    }
}
