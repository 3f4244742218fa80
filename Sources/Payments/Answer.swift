import JSON
import Reconciling
import Timeline

/// What a gateway says about one order, in the words that all gateways share.
///
/// A gateway only translates: whether an answer proves anything is for `OrderRules`. Text from the gateway is kept short
/// and free of NUL (`Answer.text`), because it is stored.
public struct Answer: Hashable, Sendable {
    public enum State: String, Sendable, CaseIterable {
        case paid = "PAID"
        case notPaidYet = "NOT_PAID_YET"
        case closed = "CLOSED"
        case refunded = "REFUNDED"
        case disputed = "DISPUTED"
        case notFound = "NOT_FOUND"
        /// No answer that can be used; `failure` says why.
        case unknown = "UNKNOWN"
        /// Our configuration is wrong, and so every other order would be told the same; `failure` says what.
        case configError = "CONFIG_ERROR"
    }

    /// A value that a payment must prove: it is there and readable, or which of the two it is not.
    public enum Field<Value: Hashable & Sendable>: Hashable, Sendable {
        case absent
        case unreadable
        case value(Value)

        public var value: Value? {
            if case .value(let value) = self { value } else { nil }
        }
    }

    public var state: State
    /// A verified signature where the gateway signs; otherwise https, or loopback.
    public var authenticated: Bool
    /// What the gateway received, in minor units.
    public var amountReceived: Field<Int64>
    /// What the gateway itself asked for, in minor units; nil where it has no such figure.
    public var gatewayAmount: Int64?
    /// ISO 4217, upper case.
    public var currency: Field<String>
    public var merchant: Field<String>
    /// Which order the answer is about, by the reference that it was asked with.
    public var orderReference: Field<String>
    public var txn: String?
    /// The gateway's own word for the state.
    public var gatewayState: String?
    public var paidAt: Timestamp?
    /// Refunded so far, in minor units; nil means none.
    public var refundedMinor: Int64?
    public var isDisputed: Bool
    /// Whether closing an unpaid order at the gateway is safe in its present state: no payment is on its way.
    public var isClosable: Bool
    public var failure: AnswerFailure?

    public init(
        _ state: State, authenticated: Bool, amountReceived: Field<Int64> = .absent, gatewayAmount: Int64? = nil,
        currency: Field<String> = .absent, merchant: Field<String> = .absent, orderReference: Field<String> = .absent,
        txn: String? = nil, gatewayState: String? = nil, paidAt: Timestamp? = nil, refundedMinor: Int64? = nil,
        isDisputed: Bool = false, isClosable: Bool = false, failure: AnswerFailure? = nil
    ) {
        self.state = state
        self.authenticated = authenticated
        self.amountReceived = amountReceived
        self.gatewayAmount = gatewayAmount
        self.currency = currency
        self.merchant = merchant
        self.orderReference = orderReference
        self.txn = txn
        self.gatewayState = gatewayState
        self.paidAt = paidAt
        self.refundedMinor = refundedMinor
        self.isDisputed = isDisputed
        self.isClosable = isClosable
        self.failure = failure
    }

    /// No usable answer.
    public static func unknown(_ failure: AnswerFailure) -> Answer {
        Answer(.unknown, authenticated: false, failure: failure)
    }

    /// Our configuration is wrong; `problem` is shown to people and carries no secret.
    public static func configError(_ problem: String, status: Int? = nil) -> Answer {
        Answer(
            .configError, authenticated: false,
            failure: AnswerFailure(.configuration, status: status, problem: problem))
    }

    /// Reads text of the gateway's that is stored or compared: at most 255 code points, as the database counts its
    /// characters, and none of them a control character.
    public static func text(_ value: String) -> Field<String> {
        guard !value.isEmpty else { return .absent }
        let isPlain =
            value.utf8.count <= 1_020 && value.unicodeScalars.count <= 255
            && !value.hasControlCharacter
        return isPlain ? .value(value) : .unreadable
    }

    /// Reads a currency's code in either case. Only ASCII is one: upper-casing would make S and I of U+017F and U+0131.
    public static func currency(_ value: String) -> Field<String> {
        guard case .value(let code) = text(value) else { return text(value) }
        return code.utf8.allSatisfy { $0 < 0x80 } ? .value(code.uppercased()) : .unreadable
    }

    /// What the answer says about the lane that it came from.
    public var laneSignal: LaneSignal {
        guard let failure else { return .answered }
        switch failure.kind {
        case .connection, .timeout, .server, .throttled: return .failed(retryAfter: failure.retryAfter)
        case .configuration: return .misconfigured(failure.problem)
        case .unreadable, .rejected: return .answered
        case .unaskable, .interrupted: return .silent
        }
    }
}
