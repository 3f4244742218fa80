import JSON
import Outgoing
import Settings
import Timeline

/// Any JSON gateway, described by configuration: where its answers have the state, the amount and the rest.
public struct HTTPGateway: Gateway {
    public struct Settings: Hashable, Sendable {
        public enum AmountUnit: String, Hashable, Sendable, CaseIterable {
            case minor
            case major
        }

        public var url: OrderTemplate
        public var method: String
        /// Values may be credentials.
        public var headers: [String: Secret]
        public var body: OrderTemplate?
        public var state: JSONPath
        /// The gateway's words; compared as text.
        public var states: [String: Answer.State]
        public var amount: JSONPath
        public var amountUnit: AmountUnit
        public var currency: JSONPath
        public var order: JSONPath?
        public var merchant: JSONPath?
        public var txn: JSONPath?
        /// https, or loopback.
        public var isAuthenticated: Bool

        public init(
            url: OrderTemplate, method: String = "GET", headers: [String: Secret] = [:], body: OrderTemplate? = nil,
            state: JSONPath, states: [String: Answer.State], amount: JSONPath, amountUnit: AmountUnit = .minor,
            currency: JSONPath, order: JSONPath? = nil, merchant: JSONPath? = nil, txn: JSONPath? = nil,
            isAuthenticated: Bool
        ) {
            self.url = url
            self.method = method
            self.headers = headers
            self.body = body
            self.state = state
            self.states = states
            self.amount = amount
            self.amountUnit = amountUnit
            self.currency = currency
            self.order = order
            self.merchant = merchant
            self.txn = txn
            self.isAuthenticated = isAuthenticated
        }
    }

    private let settings: Settings
    private let http: OutgoingClient

    public init(_ settings: Settings, http: OutgoingClient) {
        self.settings = settings
        self.http = http
    }

    public func ask(_ order: Order, deadline: Moment) async -> Answer {
        guard let request = request(order) else {
            return .unknown(
                AnswerFailure(
                    .unaskable,
                    problem: "The order cannot be asked about: a placeholder of the gateway's url or body has no "
                        + "value, or one that cannot stand in a URL."))
        }
        switch await http.send(request, deadline: deadline) {
        case .failure(let failure): return .unknown(AnswerFailure(failure))
        case .success(let response): return answer(response)
        }
    }

    private func request(_ order: Order) -> OutgoingRequest? {
        guard let url = settings.url.text(for: order) else { return nil }
        var request = OutgoingRequest(method: settings.method, url: url)
        request.headers = settings.headers.map { (name: $0.key, value: $0.value.value) }
        if !settings.headers.keys.contains(where: { $0.lowercased() == "accept" }) {
            request.headers.append((name: "accept", value: "application/json"))
        }
        if let body = settings.body {
            guard let text = body.text(for: order) else { return nil }
            request.body = text
            if !settings.headers.keys.contains(where: { $0.lowercased() == "content-type" }) {
                request.headers.append((name: "content-type", value: "application/json"))
            }
        }
        return request
    }

    func answer(_ response: OutgoingResponse) -> Answer {
        let isMissing = response.status == 404
        guard isMissing || (200...299).contains(response.status) else { return response.failureAnswer }
        let document: JSONValue
        do {
            document = try JSONValue(parsing: response.body)
        } catch {
            if isMissing { return .notFoundUnauthenticated }
            return unreadable(response.encodingProblem ?? "The answer is \(error).", response)
        }
        guard let word = text(at: settings.state, document) else {
            return isMissing ? .notFoundUnauthenticated : unreadable("The answer has no state.", response)
        }
        guard let state = settings.states[word] else {
            let shown = Answer.text(word).value.map { " “\($0)”" } ?? ""
            return unreadable("The answer's state\(shown) is not one of the configured states.", response)
        }
        let txn = field(settings.txn, document)
        // Without its transaction a payment could not be told from one that another order holds already.
        if state == .paid, txn == .unreadable {
            return unreadable("The answer's transaction is not readable.", response)
        }
        return Answer(
            state, authenticated: settings.isAuthenticated, amountReceived: amount(document),
            currency: currency(document), merchant: field(settings.merchant, document),
            orderReference: field(settings.order, document), txn: txn.value,
            gatewayState: Answer.text(word).value)
    }

    private func unreadable(_ problem: String, _ response: OutgoingResponse) -> Answer {
        .unknown(AnswerFailure(.unreadable, status: response.status, problem: problem))
    }

    private func amount(_ document: JSONValue) -> Answer.Field<Int64> {
        guard let value = settings.amount.value(in: document), !value.isNull else { return .absent }
        let raw: String
        switch value {
        case .number(let text), .string(let text): raw = text
        default: return .unreadable
        }
        var places = 0
        if settings.amountUnit == .major {
            guard let code = currency(document).value, let exponent = Currency.exponent(of: code)
            else { return .unreadable }
            places = exponent
        }
        return ExactDecimal.scaled(raw, places: places).map { .value($0) } ?? .unreadable
    }

    private func currency(_ document: JSONValue) -> Answer.Field<String> {
        guard let value = settings.currency.value(in: document), !value.isNull else { return .absent }
        guard case .string(let code) = value else { return .unreadable }
        return Answer.currency(code)
    }

    private func field(_ path: JSONPath?, _ document: JSONValue) -> Answer.Field<String> {
        guard let value = path?.value(in: document), !value.isNull else { return .absent }
        switch value {
        case .string(let text), .number(let text): return Answer.text(text)
        default: return .unreadable
        }
    }

    private func text(at path: JSONPath, _ document: JSONValue) -> String? {
        switch path.value(in: document) {
        case .string(let text), .number(let text): text
        case .bool(let value): value ? "true" : "false"
        default: nil
        }
    }
}

extension Answer {
    /// A 404 that says nothing of the order: a wrong path and a missing order look alike.
    static let notFoundUnauthenticated = Answer(.notFound, authenticated: false)
}
