import Outgoing
import Reconciling
import Settings
import Timeline

extension GatewayConfiguration {
    private enum KindName: String, CaseIterable {
        case stripe, http, fixed, alipay, wechatpay, paypal
    }

    /// Reads one section of `gateways`; its name is the lane's. Throws `SettingsError`, also for unknown keys.
    public init(reading section: inout SettingsSection) throws {
        guard let kind = try section.choice("kind", KindName.self) else {
            let names = KindName.allCases.map(\.rawValue).joined(separator: ", ")
            throw section.error("kind", problem: "the key is missing", allowed: names)
        }
        let timeout = try section.duration("timeout", in: .milliseconds(10)...(.seconds(600))) ?? .seconds(10)
        let rate = try section.rate("rate")
        let concurrency = try section.integer("concurrency", in: 1...100_000)
        let baseURL = try section.baseURL()
        var policy = try OrderPolicy(reading: &section)
        let settings: Kind
        switch kind {
        case .stripe: settings = .stripe(try StripeGateway.Settings(reading: &section, baseURL: baseURL))
        case .http: settings = .http(try HTTPGateway.Settings(reading: &section, baseURL: baseURL))
        case .fixed: settings = .fixed(try FixedGateway.Settings(reading: &section))
        case .alipay, .wechatpay, .paypal:
            try section.readUnsupported(kind.rawValue)
            settings = .unsupported(kind.rawValue)
        }
        switch settings {
        case .stripe: policy.requirements.reference = .gatewayRef
        case .http(let http):
            policy.requirements.reference = http.reference
            policy.requirements.merchant = try section.merchantID(isRequired: http.merchant != nil)
        case .fixed, .unsupported: break
        }
        if policy.closesAtGateway, kind == .http || kind == .fixed {
            throw section.error(
                "closeAtGateway", problem: "kind \(kind.rawValue) has no call that closes an order", allowed: "false")
        }
        try section.finish()
        self.init(
            name: String(section.path.drop { $0 != "." }.dropFirst()), kind: settings, policy: policy,
            timeout: timeout, rate: rate, concurrency: concurrency)
    }
}

extension OrderPolicy {
    fileprivate init(reading section: inout SettingsSection) throws {
        self.init()
        if let steps = try section.durations("cadence", in: .milliseconds(10)...(.seconds(365 * 86_400))) {
            guard (1...100).contains(steps.count) else {
                throw section.error("cadence", problem: "\(steps.count) steps", allowed: "1 to 100 durations")
            }
            cadence = steps
        }
        let day = Duration.seconds(86_400)
        giveUpAfter = try section.duration("giveUpAfter", in: .seconds(1)...(day * 3_650)) ?? day * 7
        isDryRun = try section.boolean("dryRun") ?? false
        cutOff = try section.timestamp("cutOff")
        closesAtGateway = try section.boolean("closeAtGateway") ?? false
    }
}

extension SettingsSection {
    fileprivate mutating func baseURL() throws -> EndpointURL? {
        guard let text = try string("baseUrl") else { return nil }
        guard let url = EndpointURL(text), !url.target.contains("?") else {
            throw error("baseUrl", problem: "not a base URL", allowed: EndpointURL.allowed + ", and without a query")
        }
        return url
    }

    fileprivate mutating func merchantID(isRequired: Bool) throws -> String? {
        let id = try string("merchantId")
        if isRequired, id == nil {
            throw error(
                "merchantId", problem: "the key is missing: merchant says where the answer names the merchant",
                allowed: "the merchant that it must name: ours")
        }
        if !isRequired, id != nil {
            throw error("merchantId", problem: "merchant is missing", allowed: "merchantId only beside merchant")
        }
        return id
    }

    /// Reads the keys of a kind that a later version asks, so that its configuration is checked from the start.
    fileprivate mutating func readUnsupported(_ kind: String) throws {
        switch kind {
        case "alipay":
            _ = try requiredString("appId")
            _ = try requiredSecret("privateKey")
            _ = try requiredSecret("alipayPublicKey")
        case "wechatpay":
            for key in ["mchId", "appId", "serialNo"] { _ = try requiredString(key) }
            _ = try requiredSecret("privateKey")
            for key in ["apiV3Key", "wechatpayPublicKey"] { _ = try secret(key) }
            _ = try string("wechatpayPublicKeyId")
        default:
            _ = try requiredString("clientId")
            _ = try requiredSecret("clientSecret")
        }
    }
}

extension StripeGateway.Settings {
    fileprivate init(reading section: inout SettingsSection, baseURL: EndpointURL?) throws {
        guard let url = baseURL ?? EndpointURL(Self.defaultBaseURL) else { preconditionFailure("the default is a URL") }
        guard url.isAuthenticated else {
            throw section.error(
                "baseUrl", problem: "plain http to another host would send the key in clear text",
                allowed: "https, or http to this machine")
        }
        let key = try section.requiredSecret("secretKey")
        guard key.value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw section.error("secretKey", problem: "not a key", allowed: "printable ASCII without spaces")
        }
        self.init(baseURL: url, secretKey: key)
    }
}

extension FixedGateway.Settings {
    fileprivate init(reading section: inout SettingsSection) throws {
        guard let state = try section.choice("state", Answer.State.self) else {
            let names = Answer.State.allCases.map(\.rawValue).joined(separator: ", ")
            throw section.error("state", problem: "the key is missing", allowed: names)
        }
        let delay = try section.duration("delay", in: .zero...(.seconds(600))) ?? .zero
        let amount = try section.integer("amount", in: 1...Int.max)
        let currency = try section.string("currency")
        if let currency, !Currency.isKnown(currency) {
            throw section.error("currency", problem: "not a currency", allowed: "an ISO 4217 code in upper case")
        }
        let txn = try section.string("txn")
        self.init(state: state, delay: delay, amountMinor: amount.map(Int64.init), currency: currency, txn: txn)
    }
}
