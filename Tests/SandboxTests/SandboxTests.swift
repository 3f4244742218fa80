import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import Testing

@testable import Sandbox

@Suite struct SandboxTests {
    private struct Visitor {
        var baseURL: String
        var client: HTTPClient

        func send(_ method: HTTPMethod, _ path: String, body: String? = nil, key: String? = "sk_1") async throws
            -> (status: UInt, body: [String: Any], text: String)
        {
            var request = HTTPClientRequest(url: baseURL + path)
            request.method = method
            if let key { request.headers.add(name: "authorization", value: "Bearer \(key)") }
            if let body { request.body = .bytes(Array(body.utf8)) }
            let response = try await client.execute(request, timeout: .seconds(30))
            let data = Data(try await response.body.collect(upTo: 4 << 20).readableBytesView)
            let object = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] ?? [:]
            return (response.status.code, object, String(decoding: data, as: UTF8.self))
        }
    }

    private func withSandbox(_ body: @Sendable (Visitor) async throws -> Void) async throws {
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        var logger = Logger(label: "sandbox")
        logger.logLevel = .critical
        let server = SandboxServer(logger: logger) { continuation.yield($0) }
        let services = ServiceGroup(services: [server], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            var port = 0
            for await reported in ports {
                port = reported
                break
            }
            #expect(port > 0)
            let client = HTTPClient()
            let visitor = Visitor(baseURL: "http://127.0.0.1:\(port)", client: client)
            let outcome: Result<Void, any Error>
            do {
                try await body(visitor)
                outcome = .success(())
            } catch {
                outcome = .failure(error)
            }
            try await client.shutdown()
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
            try outcome.get()
        }
    }

    @Test func aReferenceNamesItsOwnTruth() throws {
        let intent = try #require(SandboxIntent(derivedFrom: "pi_partial_2000usd_7"))
        #expect(intent.amount == 2_000)
        #expect(intent.amountReceived == 1_500)
        #expect(intent.currency == "usd")
        for scenario in SandboxScenario.allCases {
            let id = scenario.intentID(amountMinor: 1, currency: "EUR", number: 3)
            #expect(SandboxIntent(derivedFrom: id) != nil, "\(id)")
            #expect(!scenario.summary.isEmpty)
            #expect((scenario.expectedReason != nil) == (scenario.expectedStatus == "review"), "\(scenario)")
        }
        for id in [
            "", "pi_1", "pi_paid_1999eur", "pi_nothing_1999eur_1", "pi_paid_0eur_1", "pi_paid_eur_1", "pi_paid_1€_1",
        ] {
            #expect(SandboxIntent(derivedFrom: id) == nil, "\(id)")
        }
    }

    @Test func aScriptRunsOverTime() {
        let intent = SandboxIntent(
            id: "x", amount: 1, currency: "eur",
            script: [.init(status: "requires_action"), .init(after: .seconds(3), status: "succeeded")])
        #expect(intent.status(at: .zero) == "requires_action")
        #expect(intent.status(at: .milliseconds(2_999)) == "requires_action")
        #expect(intent.status(at: .seconds(3)) == "succeeded")
    }

    @Test func itLooksLikeStripe() async throws {
        try await withSandbox { visitor in
            let paid = try await visitor.send(.GET, "/v1/payment_intents/pi_paid_1999eur_1?expand%5B%5D=latest_charge")
            #expect(paid.status == 200)
            #expect(paid.body["amount_received"] as? Int == 1_999)
            #expect(paid.body["status"] as? String == "succeeded")
            #expect(paid.body["currency"] as? String == "eur")
            let missing = try await visitor.send(.GET, "/v1/payment_intents/pi_unheard_of")
            #expect(missing.status == 404)
            #expect((missing.body["error"] as? [String: Any])?["code"] as? String == "resource_missing")
            #expect(try await visitor.send(.GET, "/v1/payment_intents/pi_paid_1999eur_1", key: nil).status == 401)
            #expect(
                try await visitor.send(.GET, "/v1/payment_intents/pi_paid_1999eur_1", key: "sk_wrong").status == 401)
            let canceled = try await visitor.send(.POST, "/v1/payment_intents/pi_unpaid_5eur_1/cancel")
            #expect(canceled.body["status"] as? String == "canceled")
            #expect(try await visitor.send(.POST, "/v1/payment_intents/pi_paid_5eur_1/cancel").status == 400)
        }
    }

    @Test func intentsAreRegisteredAndCallsAreCounted() async throws {
        try await withSandbox { visitor in
            let body = """
                [{"id":"pi_own","amount":700,"currency":"EUR","script":[{"status":"processing"}],"fault":"unavailable","fault_count":1}]
                """
            #expect(try await visitor.send(.POST, "/sandbox/intents", body: body).status == 201)
            #expect(try await visitor.send(.GET, "/v1/payment_intents/pi_own").status == 503)
            let intent = try await visitor.send(.GET, "/v1/payment_intents/pi_own")
            #expect(intent.body["status"] as? String == "processing")
            #expect(try await visitor.send(.GET, "/orders/pi_own").body["status"] as? String == "open")
            #expect(try await visitor.send(.GET, "/sandbox/calls").body["pi_own"] as? Int == 3)
            let wrong = try await visitor.send(
                .POST, "/sandbox/intents", body: #"[{"id":"a","amount":1,"currency":"eur","fault":"gone"}]"#)
            #expect(wrong.status == 400)
            #expect(wrong.text.contains("throttled"))
            #expect(try await visitor.send(.POST, "/sandbox/intents", body: "{").status == 400)
        }
    }
}
