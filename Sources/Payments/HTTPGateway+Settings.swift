import JSON
import Outgoing
import Settings

extension HTTPGateway.Settings {
    /// The states that an answer can be mapped to.
    private static let states: [Answer.State] = [.paid, .notPaidYet, .closed, .refunded, .disputed, .notFound]

    /// Reads the keys of kind `http`.
    init(reading section: inout SettingsSection, baseURL: EndpointURL?) throws {
        let url = try section.orderURL(baseURL)
        let method = try section.method()
        let headers = try section.headers()
        let bodyTemplate = try section.body(method: method, headers: headers)
        let template = OrderTemplate(url.description, .url)
        let names = [template, bodyTemplate].compactMap { $0 }
        guard names.contains(where: \.hasPlaceholders) else {
            throw section.error(
                "url", problem: "every order would be asked about in the same words",
                allowed: "the placeholder {id} or {gateway_ref} in url or body")
        }
        self.init(
            url: template, method: method, headers: headers, body: bodyTemplate,
            state: try section.requiredPath("state"), states: try section.states(Self.states),
            amount: try section.requiredPath("amount"),
            amountUnit: try section.choice("amountUnit", AmountUnit.self) ?? .minor,
            currency: try section.requiredPath("currency"), order: try section.path("order"),
            merchant: try section.path("merchant"), txn: try section.path("txn"),
            isAuthenticated: url.isAuthenticated)
    }

    /// Which of an order's names its answers must have, where they are configured to have one.
    var reference: OrderPolicy.Requirements.Reference {
        guard order != nil else { return .none }
        return url.hasID || body?.hasID == true ? .orderID : .gatewayRefOrOrderID
    }
}

extension SettingsSection {
    fileprivate mutating func orderURL(_ baseURL: EndpointURL?) throws -> EndpointURL {
        let isTrusted = try boolean("trustPlainHttp") ?? false
        let text = try requiredString("url")
        let allowed = EndpointURL.allowed + ", with {id} or {gateway_ref} behind the host; or a path below baseUrl"
        var url = EndpointURL(text)
        if let baseURL {
            // A sandbox or a test takes the place of the gateway's own host.
            url = EndpointURL(baseURL.appending(url?.target ?? text))
        }
        guard let url, !OrderTemplate(url.description, .url).hasOtherBraces else {
            throw error("url", problem: "not a URL of a gateway", allowed: allowed)
        }
        guard url.isAuthenticated || isTrusted else {
            throw error(
                "url", problem: "plain http to another host proves nothing",
                allowed: "https, http to this machine, or trustPlainHttp: true (then no answer counts as authenticated)"
            )
        }
        return url
    }

    fileprivate mutating func method() throws -> String {
        guard let method = try string("method") else { return "GET" }
        guard ["GET", "POST", "PUT"].contains(method) else {
            throw error("method", problem: "not a method for asking", allowed: "GET, POST, PUT")
        }
        return method
    }

    fileprivate mutating func headers() throws -> [String: Secret] {
        let headers = try stringMap("headers") ?? [:]
        for (name, value) in headers.sorted(by: { $0.key < $1.key }) {
            let isToken =
                !name.isEmpty
                && name.utf8.allSatisfy {
                    $0 < 0x80
                        && (Character(Unicode.Scalar($0)).isLetter || Character(Unicode.Scalar($0)).isNumber
                            || "!#$%&'*+-.^_`|~".utf8.contains($0))
                }
            guard isToken else {
                throw error("headers", problem: "not a header's name", allowed: "letters, digits and dashes")
            }
            guard value.utf8.count <= 8_192, value.utf8.allSatisfy({ (0x20...0x7E).contains($0) || $0 == 0x09 }) else {
                throw error("headers", problem: "the value of \(name) is not one line", allowed: "printable ASCII")
            }
            guard !["host", "content-length", "transfer-encoding", "connection"].contains(name.lowercased()) else {
                throw error("headers", problem: "\(name) is set by the program", allowed: "other headers")
            }
        }
        return headers.mapValues(Secret.init)
    }

    /// How placeholders are written depends on the content type: an order's name must stay one value of the body.
    fileprivate mutating func body(method: String, headers: [String: Secret]) throws -> OrderTemplate? {
        guard let text = try string("body") else { return nil }
        guard method != "GET" else {
            throw error("body", problem: "GET takes no body", allowed: "method: POST beside body")
        }
        guard text.utf8.count <= 65_536 else {
            throw error("body", problem: "the body is too long", allowed: "at most 65536 bytes")
        }
        let header = headers.first { $0.key.lowercased() == "content-type" }?.value.value
        let type = (header ?? "application/json").prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
        if type == "application/x-www-form-urlencoded" { return OrderTemplate(text, .form) }
        let template = OrderTemplate(text, .json)
        guard template.hasPlaceholders else { return template }
        guard type == "application/json" || type.hasSuffix("+json") else {
            throw error(
                "body", problem: "placeholders cannot be encoded for the content-type",
                allowed: "a JSON body, or a form (application/x-www-form-urlencoded)")
        }
        guard template.isJSON else {
            throw error(
                "body", problem: "not JSON with its placeholders inside of strings",
                allowed: #"JSON such as {"order": "{id}"}, or another content-type in headers"#)
        }
        return template
    }

    fileprivate mutating func path(_ key: String) throws -> JSONPath? {
        guard let text = try string(key) else { return nil }
        guard let path = JSONPath(text) else { throw error(key, problem: "not a path", allowed: JSONPath.allowed) }
        return path
    }

    fileprivate mutating func requiredPath(_ key: String) throws -> JSONPath {
        guard let path = try path(key) else {
            throw error(key, problem: "the key is missing", allowed: JSONPath.allowed)
        }
        return path
    }

    fileprivate mutating func states(_ known: [Answer.State]) throws -> [String: Answer.State] {
        let names = known.map(\.rawValue).joined(separator: ", ")
        let lists = try stringLists("states") ?? [:]
        var states: [String: Answer.State] = [:]
        for (name, words) in lists.sorted(by: { $0.key < $1.key }) {
            guard let state = known.first(where: { $0.rawValue == name }) else {
                throw error("states", problem: "\(name) is not a state", allowed: names)
            }
            for word in words {
                guard states.updateValue(state, forKey: word) == nil else {
                    throw error("states", problem: "\(word) stands there twice", allowed: "each word once")
                }
            }
        }
        guard states.values.contains(.paid) else {
            throw error("states", problem: "no word means PAID", allowed: "a map from \(names) to the gateway's words")
        }
        return states
    }
}
