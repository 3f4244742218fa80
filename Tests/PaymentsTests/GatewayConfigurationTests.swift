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
        let http = GatewayHTTPClient()
        let answer = await gateways[0].orderLane(http: http).gateway.ask(Sample.order(), deadline: .in(.seconds(1)))
        try await http.shutdown()
        #expect(answer.state == .configError)
        #expect(answer.failure?.problem == "kind paypal is not supported by this version yet")
    }
}
