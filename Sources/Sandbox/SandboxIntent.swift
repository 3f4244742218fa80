import Timeline

/// One payment at the sandbox: its truth over time, and how its answers go wrong.
public struct SandboxIntent: Hashable, Sendable {
    public struct Step: Hashable, Sendable {
        /// Since the first question.
        public var after: Duration
        /// A PaymentIntent's status; `missing` answers 404.
        public var status: String

        public init(after: Duration = .zero, status: String) {
            self.after = after
            self.status = status
        }
    }

    public var id: String
    /// Minor units by ISO 4217.
    public var amount: Int64
    /// Nil: the whole amount once paid.
    public var amountReceived: Int64?
    /// Lower case.
    public var currency: String
    /// In the order of time; the last holds for ever.
    public var script: [Step]
    public var amountRefunded: Int64
    public var isDisputed: Bool
    /// Nil derives one from the id.
    public var charge: String?
    public var fault: SandboxFault?
    /// How many questions meet the fault; nil: all.
    public var faultCount: Int?

    public init(
        id: String, amount: Int64, amountReceived: Int64? = nil, currency: String,
        script: [Step] = [Step(status: "succeeded")], amountRefunded: Int64 = 0, isDisputed: Bool = false,
        charge: String? = nil, fault: SandboxFault? = nil, faultCount: Int? = nil
    ) {
        self.id = id
        self.amount = amount
        self.amountReceived = amountReceived
        self.currency = currency
        self.script = script
        self.amountRefunded = amountRefunded
        self.isDisputed = isDisputed
        self.charge = charge
        self.fault = fault
        self.faultCount = faultCount
    }

    /// Reads the truth from an id of the form `<prefix>_<scenario>_<amount><currency>_<anything>`; nil for others.
    public init?(derivedFrom id: String) {
        let parts = id.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count >= 4, let scenario = SandboxScenario(rawValue: String(parts[1])) else { return nil }
        let digits = parts[2].prefix { $0.isASCII && $0.isNumber }
        let currency = parts[2].dropFirst(digits.count)
        guard let amount = Int64(digits), amount > 0, amount < .max / 2, currency.count == 3,
            currency.allSatisfy({ $0.isASCII && $0.isLetter })
        else { return nil }
        self.init(id: id, amount: amount, currency: currency.lowercased())
        apply(scenario)
    }

    private mutating func apply(_ scenario: SandboxScenario) {
        switch scenario {
        case .paid, .webhook, .late: break
        case .soon:
            script = [Step(status: "requires_action"), Step(after: .seconds(3), status: "succeeded")]
        case .slow: fault = .slow
        case .flaky: (fault, faultCount) = (.unavailable, 2)
        case .throttled: (fault, faultCount) = (.throttled, 1)
        case .cut: (fault, faultCount) = (.cut, 1)
        case .garbage: (fault, faultCount) = (.garbage, 1)
        case .dropped: (fault, faultCount) = (.dropped, 1)
        case .canceled: script = [Step(status: "canceled")]
        case .unpaid, .gaveup, .abandoned: script = [Step(status: "requires_payment_method")]
        case .processing: script = [Step(status: "processing")]
        case .missing: script = [Step(status: "missing")]
        case .vanished: fault = .vanished
        case .amount: amount += 100
        case .currency: currency = currency == "usd" ? "eur" : "usd"
        case .partial: amountReceived = amount - max(amount / 4, 1)
        case .overpaid: amountReceived = amount + max(amount / 4, 1)
        case .refunded: amountRefunded = amount
        case .partrefund: amountRefunded = max(amount / 4, 1)
        case .disputed: isDisputed = true
        case .duplicate: charge = SandboxScenario.sharedCharge
        case .newstate: script = [Step(status: "requires_blessing")]
        case .down: fault = .unavailable
        case .hang: fault = .hang
        case .huge: fault = .huge
        case .redirect: fault = .redirect
        case .unauthorized: fault = .unauthorized
        }
    }

    /// The status so long after the first question.
    func status(at age: Duration) -> String {
        script.last { $0.after <= age }?.status ?? script.first?.status ?? "requires_payment_method"
    }
}

/// How an answer goes wrong.
public enum SandboxFault: String, Sendable, CaseIterable {
    /// Two seconds late.
    case slow
    /// A minute late.
    case hang
    /// 503.
    case unavailable
    /// 429 with `Retry-After: 1`.
    case throttled
    /// Ends in the middle of its body.
    case cut
    /// Not JSON.
    case garbage
    /// The connection is closed instead of an answer.
    case dropped
    /// 401.
    case unauthorized
    /// 404 without Stripe's word for it.
    case vanished
    /// 2 MiB.
    case huge
    /// 302.
    case redirect
}
