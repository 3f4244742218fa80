import JSON
import NIOHTTP1
import Outgoing
import Sandbox
import Testing
import Timeline

@testable import Payments

/// What a configured gateway makes of documents, and of the sandbox's order endpoint.
@Suite struct HTTPGatewayTests {
    private static func settings(_ baseURL: String, unit: HTTPGateway.Settings.AmountUnit = .minor)
        -> HTTPGateway.Settings
    {
        HTTPGateway.Settings(
            url: OrderTemplate(baseURL + "/orders/{id}", .url), state: JSONPath("$.status")!,
            states: [
                "paid": .paid, "open": .notPaidYet, "void": .closed, "refunded": .refunded, "disputed": .disputed,
                "3": .paid, "true": .paid,
            ],
            amount: JSONPath("$.amount")!, amountUnit: unit, currency: JSONPath("$.currency")!,
            order: JSONPath("$.order")!, merchant: JSONPath("$.merchant")!, txn: JSONPath("$.txn")!,
            isAuthenticated: true)
    }

    private func read(_ body: String, unit: HTTPGateway.Settings.AmountUnit = .minor) async throws -> Answer {
        let http = OutgoingClient()
        let gateway = HTTPGateway(Self.settings("http://127.0.0.1:1", unit: unit), http: http)
        let answer = gateway.answer(OutgoingResponse(status: 200, body: Array(body.utf8)))
        try await http.shutdown()
        return answer
    }

    @Test func amountsAreReadFromTheRawText() async throws {
        let minor: [(String, Answer.Field<Int64>)] = [
            ("1999", .value(1_999)), ("1999.0", .value(1_999)), ("\"1999\"", .value(1_999)), ("1.999e3", .value(1_999)),
            ("19.99", .unreadable), ("\"1,999\"", .unreadable), ("null", .absent), ("true", .unreadable),
            ("{}", .unreadable), ("99999999999999999999", .unreadable), ("-1", .value(-1)),
        ]
        for (text, expected) in minor {
            let answer = try await read(#"{"status":"paid","currency":"eur","amount":\#(text)}"#)
            #expect(answer.amountReceived == expected, "\(text)")
            #expect(answer.currency == .value("EUR"))
        }
        let major: [(String, String, Answer.Field<Int64>)] = [
            ("19.99", "EUR", .value(1_999)), ("\"19.99\"", "EUR", .value(1_999)), ("19.999", "EUR", .unreadable),
            ("1999", "JPY", .value(1_999)), ("1999.5", "JPY", .unreadable), ("1.999", "KWD", .value(1_999)),
            ("1.2345", "CLF", .value(12_345)), ("19.99", "XXX", .unreadable), ("1e1", "EUR", .value(1_000)),
        ]
        for (text, currency, expected) in major {
            let answer = try await read(
                #"{"status":"paid","currency":"\#(currency)","amount":\#(text)}"#, unit: .major)
            #expect(answer.amountReceived == expected, "\(text) \(currency)")
        }
    }

    @Test func statesAreComparedAsText() async throws {
        for word in ["\"paid\"", "3", "\"3\"", "true"] {
            #expect(try await read(#"{"status":\#(word)}"#).state == .paid, "\(word)")
        }
        for word in ["\"PAID\"", "3.0", "null", "[\"paid\"]", "\"\""] {
            #expect(try await read(#"{"status":\#(word)}"#).state == .unknown, "\(word)")
        }
    }

    @Test(arguments: [("gzip", true), ("BR", true), ("identity", false), ("", false)])
    func aBodyInACodingThatNobodyAskedForIsSaidToBeOne(coding: String, isNamed: Bool) async throws {
        let http = OutgoingClient()
        let gateway = HTTPGateway(Self.settings("http://127.0.0.1:1"), http: http)
        let answer = gateway.answer(
            OutgoingResponse(status: 200, headers: [("Content-Encoding", coding)], body: [0x1F, 0x8B, 8, 0]))
        try await http.shutdown()
        #expect(answer.state == .unknown)
        #expect(answer.failure?.problem.contains("Content-Encoding: \(coding)") == isNamed)
        // What can be read all the same is read.
        let plain = gateway.answer(
            OutgoingResponse(
                status: 200, headers: [("Content-Encoding", coding)], body: Array(#"{"status":"paid"}"#.utf8)))
        #expect(plain.state == .paid)
    }

    @Test func textOfTheGatewayIsBoundedBeforeItIsStored() async throws {
        let long = String(repeating: "x", count: 300)
        let answer = try await read(
            #"{"status":"open","order":"\#(long)","merchant":"a\u0000b","txn":"\#(long)","currency":"E\u0000"}"#)
        #expect(answer.orderReference == .unreadable)
        #expect(answer.merchant == .unreadable)
        #expect(answer.currency == .unreadable)
        #expect(answer.txn == nil)
        #expect(!answer.json.contains("\\u0000"))
        let strange = try await read(#"{"status":"\u0000\#(long)"}"#)
        #expect(strange.failure?.problem.contains("x") == false)
    }

    /// Without its transaction a payment would not be found to be a duplicate.
    @Test func aPaymentWhoseTransactionIsUnreadableIsNoAnswer() async throws {
        let long = String(repeating: "x", count: 256)
        for txn in ["\"\(long)\"", #""a\u0000b""#, "{}", "true", "[]"] {
            let answer = try await read(#"{"status":"paid","txn":\#(txn)}"#)
            #expect(answer.state == .unknown, "\(txn)")
            #expect(answer.failure?.kind == .unreadable)
        }
        for txn in ["null", "\"\""] {
            #expect(try await read(#"{"status":"paid","txn":\#(txn)}"#).state == .paid, "\(txn)")
        }
        #expect(try await read(#"{"status":"paid","txn":17}"#).txn == "17")
    }

    @Test func textIsCountedAsTheDatabaseCountsIt() {
        let flag = "\u{1F1EA}\u{1F1FA}"  // one character to a reader, two to char_length
        #expect(Answer.text(String(repeating: flag, count: 127)).value != nil)
        #expect(Answer.text(String(repeating: flag, count: 128)) == .unreadable)
        #expect(Answer.text(String(repeating: "é", count: 255)).value != nil)
    }

    @Test func onlyASCIIIsUpperCased() async throws {
        for code in ["U\u{17F}D", "\u{131}NR", "u\u{17F}d", "ßEK", "ﬀ"] {
            let answer = try await read(#"{"status":"paid","currency":"\#(code)"}"#)
            #expect(answer.currency == .unreadable, "\(code)")
        }
        #expect(try await read(#"{"status":"paid","currency":"uSd"}"#).currency == .value("USD"))
        let intent = #"{"object":"payment_intent","status":"succeeded","currency":"u\#u{17F}d"}"#
        #expect(StripeIntent.answer(Array(intent.utf8), authenticated: true).currency == .unreadable)
    }

    @Test func theSandboxSpeaksPlainJSONToo() async throws {
        try await withSandbox { baseURL, http in
            let gateway = HTTPGateway(Self.settings(baseURL), http: http)
            let policy = OrderPolicy(requirements: .init(reference: .orderID, merchant: "sandbox"))
            let expected: [(SandboxScenario, String, String?)] = [
                (.paid, "paid", nil), (.canceled, "closed", nil), (.refunded, "review", "REFUNDED"),
                (.disputed, "review", "DISPUTED"), (.amount, "review", "AMOUNT_MISMATCH"),
                (.currency, "review", "CURRENCY_MISMATCH"), (.unpaid, "pending", nil), (.missing, "pending", nil),
                (.garbage, "pending", nil), (.newstate, "pending", nil), (.late, "review", "PAID_LATE"),
            ]
            for (scenario, status, reason) in expected {
                var order = Sample.order(status: scenario.initialStatus)
                order.id = "order_\(scenario.rawValue)_1999eur_1"
                let answer = await gateway.ask(order, deadline: .in(.seconds(30)))
                let decision = OrderRules.decide(order, answer, policy: policy, begunAt: Sample.early)
                #expect((decision.change?.status ?? order.status) == status, "\(scenario)")
                #expect(decision.change?.reviewReason == reason, "\(scenario)")
            }
        }
    }
}
