import AsyncHTTPClient
import Foundation
import JSON
import NIOCore
import NIOHTTP1
import Outgoing
import Subprocess
import SystemPackage
import Testing
import Timeline

@testable import Payments

private enum Localstripe {
    static let bin = ProcessInfo.processInfo.environment["RECONCILED_TEST_PEERS"]
}

/// Stripe's gateway against localstripe, a Stripe server that is not ours (PyPI, 1.15.10).
///
/// Runs where RECONCILED_TEST_PEERS names the `bin` directory of a Python environment that has it:
/// `python3 -m venv DIR && DIR/bin/pip install localstripe==1.15.10`, then `RECONCILED_TEST_PEERS=DIR/bin`.
@Suite(.enabled(if: Localstripe.bin != nil, "RECONCILED_TEST_PEERS is not set")) struct LocalstripeTests {
    /// Drives localstripe as a shop would.
    private struct Shop {
        var baseURL: String
        var client: HTTPClient

        func post(_ path: String, _ form: String) async throws -> JSONValue {
            var request = HTTPClientRequest(url: baseURL + "/v1/" + path)
            request.method = .POST
            request.headers.add(name: "authorization", value: "Bearer sk_test_12345")
            request.headers.add(name: "content-type", value: "application/x-www-form-urlencoded")
            request.body = .bytes(Array(form.utf8))
            let response = try await client.execute(request, timeout: .seconds(30))
            let body = try await response.body.collect(upTo: 1 << 20)
            return try JSONValue(parsing: Array(body.readableBytesView))
        }

        func intent(card: String?, _ form: String = "") async throws -> String {
            var form = "amount=1999&currency=eur" + form
            if let card {
                let method = try await post(
                    "payment_methods",
                    "type=card&card[number]=\(card)&card[exp_month]=12&card[exp_year]=2040&card[cvc]=123")
                form += "&payment_method=" + (try #require(method["id"]?.string))
            }
            return try #require(try await post("payment_intents", form)["id"]?.string)
        }
    }

    private func withLocalstripe(_ body: (Shop, OutgoingClient) async throws -> Void) async throws {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Peers/localstripe_proxy.py").path
        let python = try #require(Localstripe.bin) + "/python"
        let result = try await run(
            .path(FilePath(python)), arguments: [script], input: .inputWriter, output: .sequence, error: .discarded
        ) { execution in
            var port: String?
            for try await line in execution.standardOutput.strings() {
                port = line.trimmingCharacters(in: .whitespacesAndNewlines)
                break
            }
            let shop = Shop(baseURL: "http://127.0.0.1:" + (try #require(port)), client: HTTPClient())
            let http = OutgoingClient()
            let outcome: Result<Void, any Error>
            do {
                try await body(shop, http)
                outcome = .success(())
            } catch {
                outcome = .failure(error)
            }
            try await http.shutdown()
            try await shop.client.shutdown()
            try await execution.standardInputWriter.finish()
            try outcome.get()
        }
        #expect(result.terminationStatus.isSuccess)
    }

    private func decide(_ id: String, _ gateway: StripeGateway, status: String = "pending") async -> OrderDecision {
        var order = Sample.order(status: status)
        order.gatewayRef = id
        let answer = await gateway.ask(order, deadline: .in(.seconds(30)))
        return OrderRules.decide(
            order, answer, policy: OrderPolicy(requirements: .init(reference: .gatewayRef)), begunAt: Sample.early)
    }

    @Test func anIntentIsFollowedThroughItsLife() async throws {
        try await withLocalstripe { shop, http in
            let gateway = StripeGateway(
                .init(baseURL: EndpointURL(shop.baseURL)!, secretKey: .init("sk_test_12345")), http: http)
            let good = "4242424242424242"

            let open = try await shop.intent(card: nil)
            #expect(await decide(open, gateway).reason == "NOT_PAID_YET")
            let unconfirmed = try await shop.intent(card: good)
            #expect(await decide(unconfirmed, gateway).reason == "NOT_PAID_YET")

            let paid = try await shop.intent(card: good, "&confirm=true")
            let decision = await decide(paid, gateway)
            #expect(decision.change?.status == "paid")
            #expect(decision.change?.gatewayTxnID?.hasPrefix("ch_") == true)
            #expect(await decide(paid, gateway, status: "cancelled").change?.reviewReason == "PAID_LATE")

            _ = try await shop.post("refunds", "payment_intent=\(paid)&amount=500")
            #expect(await decide(paid, gateway).change?.reviewReason == "REFUNDED")
            _ = try await shop.post("refunds", "payment_intent=\(paid)&amount=1499")
            #expect(await decide(paid, gateway).change?.reviewReason == "REFUNDED")

            let uncaptured = try await shop.intent(card: good, "&confirm=true&capture_method=manual")
            #expect(await decide(uncaptured, gateway).reason == "NOT_PAID_YET")

            let declined = try await shop.intent(card: "4000000000000341")
            _ = try await shop.post("payment_intents/\(declined)/confirm", "")
            #expect(await decide(declined, gateway).reason == "NOT_PAID_YET")

            var order = Sample.order()
            order.gatewayRef = open
            let outcome = await gateway.close(order, idempotencyKey: "k-1", deadline: .in(.seconds(30)))
            #expect(outcome == .answered)
            #expect(await decide(open, gateway).change?.status == "closed")

            // Its 404 lacks Stripe's word for a missing object: it proves nothing.
            let missing = await decide("pi_none", gateway)
            #expect(missing.reason == "NOT_FOUND")
            #expect(missing.change == nil)
        }
    }

    @Test func withoutTheProxyNothingIsPaid() {
        // What localstripe itself says of a paid intent.
        let body = #"{"object":"payment_intent","id":"pi_1","amount":1999,"currency":"eur","status":"succeeded"}"#
        let answer = StripeIntent.answer(Array(body.utf8), authenticated: true)
        let policy = OrderPolicy(requirements: .init(reference: .gatewayRef))
        #expect(OrderRules.decide(Sample.order(), answer, policy: policy, begunAt: Sample.early).change == nil)
    }
}
