import Outgoing
import Settings
import Testing
import Timeline

@testable import Payments

@Suite struct GatewayConfigurationTests {
    private func read(_ yaml: String, environment: [String: String] = [:]) throws -> [GatewayConfiguration] {
        var document = try SettingsDocument(yaml: yaml, fileName: "reconciled.yaml", environment: environment)
        var gateways: [GatewayConfiguration] = []
        for var entry in try document.root.sections("gateways") {
            gateways.append(try GatewayConfiguration(reading: &entry.section))
        }
        try document.root.finish()
        return gateways
    }

    private func failure(_ gateway: String) -> SettingsError? {
        do {
            _ = try read("gateways:\n  acme: { \(gateway) }\n")
            return nil
        } catch {
            return error as? SettingsError
        }
    }

    private static let acme = """
        kind: http, state: "$.status", states: { PAID: [paid], NOT_PAID_YET: [open, created] }, \
        amount: "$.amount", currency: "$.currency"
        """

    @Test func theDocumentedExamplesAreUnderstood() throws {
        let gateways = try read(
            """
            gateways:
              acme: { kind: http, url: "https://pay.example/orders/{id}", headers: { authorization: "Bearer top" }, timeout: 10s,
                      state: "$.status", states: { PAID: [paid], NOT_PAID_YET: [open, created], CLOSED: [void], REFUNDED: [refunded], NOT_FOUND: [missing] },
                      amount: "$.amount", amountUnit: minor, currency: "$.currency", order: "$.order", merchant: null, txn: "$.txn" }
              trial: { kind: fixed, state: PAID, delay: 0ms }
              stripe-eu: { kind: stripe, secretKey: sk_1, rate: 25/s, closeAtGateway: true, giveUpAfter: 3d, cutOff: 2026-01-01T00:00:00Z }
              alipay-cn: { kind: alipay, appId: "1", privateKey: a, alipayPublicKey: b, cadence: [5s, 30s, 1m] }
            """)
        #expect(gateways.map(\.name) == ["acme", "trial", "stripe-eu", "alipay-cn"])
        guard case .http(let http) = gateways[0].kind else { Issue.record("not http"); return }
        #expect(http.states["created"] == .notPaidYet)
        #expect(http.isAuthenticated)
        #expect(gateways[0].policy.requirements == .init(reference: .orderID))
        #expect(gateways[1].kind == .fixed(.init()))
        #expect(gateways[2].rate == Rate(count: 25, per: .seconds(1)))
        #expect(gateways[2].policy.closesAtGateway)
        #expect(gateways[2].policy.giveUpAfter == .seconds(3 * 86_400))
        #expect(gateways[2].policy.requirements == .init(reference: .gatewayRef))
        #expect(gateways[3].lane.cadence == [.seconds(5), .seconds(30), .seconds(60)])
        #expect(gateways[0].timeout == .seconds(10))
        var dumped = ""
        dump(gateways, to: &dumped)
        #expect(!dumped.contains("sk_1") && !dumped.contains("top") && !"\(gateways)".contains("sk_1"))
    }

    @Test func mistakesNameKeyLineAndWhatIsAllowed() throws {
        let cases: [(String, String)] = [
            ("state: PAID", "kind"), ("kind: fixd", "kind"), ("kind: fixed", "state"),
            ("kind: fixed, state: paid", "state"),
            ("kind: fixed, state: PAID, currency: eur", "currency"), ("kind: fixed, state: PAID, url: x", "url"),
            ("kind: fixed, state: PAID, amount: 0", "amount"), ("kind: fixed, state: PAID, timeout: 0s", "timeout"),
            ("kind: fixed, state: PAID, cadence: []", "cadence"),
            ("kind: fixed, state: PAID, closeAtGateway: true", "closeAtGateway"),
            ("kind: stripe", "secretKey"), ("kind: stripe, secretKey: \"a b\"", "secretKey"),
            ("kind: stripe, secretKey: a, baseUrl: \"http://stripe.example\"", "baseUrl"),
            ("kind: stripe, secretKey: a, baseUrl: \"stripe.example\"", "baseUrl"),
            ("kind: alipay, appId: a", "privateKey"), ("kind: wechatpay", "mchId"), ("kind: paypal", "clientId"),
            (Self.acme, "url"), ("\(Self.acme), url: \"https://a.example/\"", "url"),
            ("\(Self.acme), url: \"https://a.example/{order}/{id}\"", "url"),
            ("\(Self.acme), url: \"https://{id}.example/\"", "url"),
            ("\(Self.acme), url: \"http://a.example/{id}\"", "url"),
            ("\(Self.acme), url: \"https://a.example/{id}\", merchant: \"$.m\"", "merchantId"),
            ("\(Self.acme), url: \"https://a.example/{id}\", merchantId: m", "merchantId"),
            ("\(Self.acme), url: \"https://a.example/{id}\", order: order", "order"),
            ("\(Self.acme), url: \"https://a.example/{id}\", body: x", "body"),
            ("\(Self.acme), url: \"https://a.example/{id}\", method: DELETE", "method"),
            ("\(Self.acme), url: \"https://a.example/{id}\", amountUnit: cents", "amountUnit"),
            ("\(Self.acme), url: \"https://a.example/{id}\", headers: { \"a b\": c }", "headers"),
            ("\(Self.acme), url: \"https://a.example/{id}\", headers: { a: \"b\\r\\nc: d\" }", "headers"),
        ]
        for (text, key) in cases {
            let error = try #require(failure(text), "\(text)")
            #expect(error.key == "gateways.acme.\(key)", "\(text): \(error)")
            #expect(error.line == 2, "\(text): \(error)")
            #expect(!error.allowed.isEmpty)
        }
        let states = [
            "states: { PAYED: [paid] }", "states: { NOT_PAID_YET: [open] }", "states: { PAID: [a], CLOSED: [a] }",
            "states: { PAID: [a], UNKNOWN: [b] }",
        ]
        for text in states {
            let gateway = """
                kind: http, url: "https://a.example/{id}", state: "$.s", amount: "$.a", currency: "$.c", \(text)
                """
            #expect(failure(gateway)?.key == "gateways.acme.states", "\(text)")
        }
    }

    private func body(_ body: String, type: String? = nil, method: String = "POST") throws -> OrderTemplate? {
        let header = type.map { ", headers: { Content-Type: \"\($0)\" }" } ?? ""
        let gateway = "\(Self.acme), url: \"https://a.example/{id}\", method: \(method), body: '\(body)'\(header)"
        guard case .http(let settings) = try read("gateways:\n  acme: { \(gateway) }\n")[0].kind else { return nil }
        return settings.body
    }

    @Test func placeholdersOfABodyAreWrittenAsItsContentTypeWantsThem() throws {
        var order = Sample.order()
        order.id = #"a"b&c=d é"#
        #expect(try body(#"{"order": "{id}"}"#)?.text(for: order) == #"{"order": "a\"b&c=d é"}"#)
        let json = try body(#"{"order": "{id}"}"#, type: "application/vnd.acme+json; charset=utf-8")
        #expect(json?.text(for: order) == #"{"order": "a\"b&c=d é"}"#)
        let form = try body("order={id}&x=1", type: "application/x-www-form-urlencoded; charset=utf-8")
        #expect(form?.text(for: order) == "order=a%22b%26c%3Dd%20%C3%A9&x=1")
        #expect(try body("<all/>", type: "text/xml")?.text(for: order) == "<all/>")
    }

    @Test func aBodyThatCouldBecomeAnotherIsRefused() throws {
        let refused: [(String, String?, String)] = [
            (#"{"order": {id}}"#, nil, "placeholders"), (#"{"order": 1{id}}"#, nil, "placeholders"),
            (#"{"order": "\{id}"}"#, nil, "placeholders"), ("order={id}", nil, "placeholders"),
            ("<order>{id}</order>", "application/xml", "placeholders"), ("{id}", "text/plain", "placeholders"),
        ]
        for (text, type, word) in refused {
            let error = #expect(throws: SettingsError.self, "\(text)") { try body(text, type: type) }
            #expect(error?.key == "gateways.acme.body")
            #expect(error?.problem.contains(word) == true, "\(text): \(error?.problem ?? "")")
        }
        let long = String(repeating: "x", count: 65_537)
        let tooLong = #expect(throws: SettingsError.self) { try body(long) }
        #expect(tooLong?.problem == "the body is too long")
        let get = #expect(throws: SettingsError.self) { try body("x", method: "GET") }
        #expect(get?.problem == "GET takes no body")
    }

    @Test func closingNeedsALeaseLongerThanTheTimeout() {
        var gateway = GatewayConfiguration(name: "s", kind: .fixed(.init()), timeout: .seconds(20))
        #expect(gateway.closeProblem(lease: .seconds(20)) == nil)
        gateway.policy.closesAtGateway = true
        #expect(gateway.closeProblem(lease: .seconds(20)) != nil)
        #expect(gateway.closeProblem(lease: .seconds(21)) == nil)
    }

    @Test func plainHTTPIsTrustedOnlyOnRequestAndNeverAuthenticated() throws {
        let trusted = try read(
            "gateways:\n  acme: { \(Self.acme), url: \"http://a.example/{id}\", trustPlainHttp: true }\n")
        guard case .http(let settings) = trusted[0].kind else { Issue.record("not http"); return }
        #expect(!settings.isAuthenticated)
        let loopback = try read("gateways:\n  acme: { \(Self.acme), url: \"http://127.0.0.1/{id}\" }\n")
        guard case .http(let local) = loopback[0].kind else { Issue.record("not http"); return }
        #expect(local.isAuthenticated)
    }

    @Test func aBaseURLTakesThePlaceOfTheHost() throws {
        let gateway =
            "\(Self.acme), url: \"https://pay.example/orders/{id}?x=1\", baseUrl: \"http://127.0.0.1:9/base/\""
        guard case .http(let settings) = try read("gateways:\n  acme: { \(gateway) }\n")[0].kind else { return }
        #expect(settings.url.text(for: Sample.order()) == "http://127.0.0.1:9/base/orders/A-1?x=1")
        #expect(settings.isAuthenticated)
        let relative = "\(Self.acme), url: \"/orders/{gateway_ref}\", baseUrl: \"https://pay.example\""
        guard case .http(let other) = try read("gateways:\n  acme: { \(relative) }\n")[0].kind else { return }
        #expect(other.url.text(for: Sample.order()) == "https://pay.example/orders/pi_1")
    }

    @Test func aKindOfALaterVersionLeavesItsRowsUntouched() async throws {
        let gateways = try read("gateways:\n  p: { kind: paypal, clientId: a, clientSecret: b }\n")
        let http = OutgoingClient()
        let answer = await gateways[0].orderLane(http: http).gateway.ask(Sample.order(), deadline: .in(.seconds(1)))
        try await http.shutdown()
        #expect(answer.state == .configError)
        #expect(answer.failure?.problem == "kind paypal is not supported by this version yet")
    }
}
