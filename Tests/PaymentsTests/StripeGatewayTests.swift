import Outgoing
import Sandbox
import Testing
import Timeline

@testable import Payments

/// Stripe's gateway over a real socket, against the sandbox.
@Suite struct StripeGatewayTests {
    private static func gateway(_ baseURL: String, _ http: OutgoingClient, key: String = "sk_test") -> StripeGateway {
        StripeGateway(.init(baseURL: EndpointURL(baseURL)!, secretKey: .init(key)), http: http)
    }

    private static func order(_ scenario: SandboxScenario, number: Int = 1) -> Order {
        var order = Sample.order(status: scenario.initialStatus)
        order.gatewayRef = scenario.intentID(amountMinor: 1_999, currency: "EUR", number: number)
        if scenario.isPastGiveUp { order.giveUpAt = Sample.created }
        return order
    }

    /// Every scenario that ends by itself: asked until it is decided, an order ends as the scenario says.
    @Test(arguments: SandboxScenario.allCases.filter { $0.isDemonstrable })
    func everyScenarioEndsAsItMust(scenario: SandboxScenario) async throws {
        try await withSandbox { baseURL, http in
            let gateway = Self.gateway(baseURL, http)
            var order = Self.order(scenario)
            let policy = OrderPolicy(requirements: .init(reference: .gatewayRef))
            // Far beyond what the slowest of them needs; the others leave the loop early.
            for question in 0..<400 {
                if OrderRules.unasked(order, policy: policy, progress: .init()) != nil { break }
                let answer = await gateway.ask(order, deadline: .in(.seconds(30)))
                let decision = OrderRules.decide(
                    order, answer, policy: policy, begunAt: Sample.early, isDuplicate: scenario == .duplicate)
                if let change = decision.change {
                    (order.status, order.reviewReason) = (change.status, change.reviewReason)
                }
                let isSettled = decision.next == .rest
                if isSettled || (scenario.expectedStatus == "pending" && question > 3) { break }
                if scenario == .soon { try await Task.sleep(for: .milliseconds(50)) }
            }
            #expect(order.status == scenario.expectedStatus)
            #expect(order.reviewReason == scenario.expectedReason)
        }
    }

    @Test func aPaidIntentIsReadInFull() async throws {
        try await withSandbox { baseURL, http in
            let answer = await Self.gateway(baseURL, http).ask(Self.order(.paid), deadline: .in(.seconds(30)))
            #expect(answer.state == .paid)
            #expect(answer.authenticated)
            #expect(answer.amountReceived == .value(1_999))
            #expect(answer.currency == .value("EUR"))
            #expect(answer.orderReference == .value("pi_paid_1999eur_1"))
            #expect(answer.txn == "ch_pi_paid_1999eur_1")
            #expect(answer.paidAt != nil)
            #expect(answer.gatewayState == "succeeded")
        }
    }

    @Test func faultsAreClassified() async throws {
        try await withSandbox { baseURL, http in
            let gateway = Self.gateway(baseURL, http)
            func ask(_ scenario: SandboxScenario) async -> Answer {
                await gateway.ask(Self.order(scenario), deadline: .in(.seconds(30)))
            }
            #expect(await ask(.flaky).failure?.kind == .server)
            #expect(await ask(.throttled).laneSignal == .failed(retryAfter: .seconds(1)))
            #expect(await ask(.cut).failure?.kind == .connection)
            #expect(await ask(.dropped).failure?.kind == .connection)
            #expect(await ask(.garbage).failure?.kind == .unreadable)
            #expect(await ask(.huge).failure?.kind == .unreadable)
            #expect(await ask(.redirect).failure?.kind == .rejected)
            #expect(await ask(.newstate).failure?.kind == .unreadable)
            #expect(await ask(.unauthorized).state == .configError)
            let missing = await ask(.missing)
            #expect(missing.state == .notFound)
            #expect(missing.authenticated)
            let vanished = await ask(.vanished)
            #expect(vanished.state == .notFound)
            #expect(!vanished.authenticated)
        }
    }

    @Test func aWrongKeyIsAConfigurationErrorWithoutTheKey() async throws {
        try await withSandbox { baseURL, http in
            let gateway = Self.gateway(baseURL, http, key: "sk_wrong")
            let answer = await gateway.ask(Self.order(.paid), deadline: .in(.seconds(30)))
            #expect(answer.state == .configError)
            #expect(!answer.json.contains("sk_wrong"))
            let closing = await gateway.close(Self.order(.unpaid), idempotencyKey: "k", deadline: .in(.seconds(30)))
            guard case .misconfigured = closing else { Issue.record("\(closing)"); return }
        }
    }

    @Test func anUnpaidIntentIsClosedAndAPaidOneIsNot() async throws {
        try await withSandbox { baseURL, http in
            let gateway = Self.gateway(baseURL, http)
            let deadline = Moment.in(.seconds(30))
            let unpaid = Self.order(.unpaid)
            #expect(await gateway.ask(unpaid, deadline: deadline).isClosable)
            #expect(await gateway.close(unpaid, idempotencyKey: "k-1", deadline: deadline) == .answered)
            #expect(await gateway.ask(unpaid, deadline: deadline).state == .closed)
            let paid = Self.order(.paid)
            #expect(await gateway.close(paid, idempotencyKey: "k-2", deadline: deadline) == .answered)
            #expect(await gateway.ask(paid, deadline: deadline).state == .paid)
            #expect(await !gateway.ask(Self.order(.processing), deadline: deadline).isClosable)
        }
    }

    @Test func anOrderWithoutAReferenceCannotBeAskedAbout() async throws {
        let http = OutgoingClient()
        var order = Sample.order()
        order.gatewayRef = nil
        let answer = await Self.gateway("http://127.0.0.1:1", http).ask(order, deadline: .in(.seconds(5)))
        try await http.shutdown()
        #expect(answer.failure?.kind == .unaskable)
        #expect(answer.failure?.problem.contains("gateway_ref") == true)
        #expect(answer.laneSignal == .silent)
    }

    @Test(
        arguments: [("ISK", 1_999), ("UGX", 1_999), ("MGA", 199_900), ("JPY", 1_999), ("HUF", 1_999)]
            as [(String, Int64)])
    func stripesOwnMinorUnitsBecomeThoseOfISO4217(currency: String, amount: Int64) async throws {
        try await withSandbox { baseURL, http in
            var order = Sample.order()
            (order.amountMinor, order.currency) = (amount, currency)
            order.gatewayRef = SandboxScenario.paid.intentID(amountMinor: amount, currency: currency, number: 1)
            let answer = await Self.gateway(baseURL, http).ask(order, deadline: .in(.seconds(30)))
            #expect(answer.amountReceived == .value(amount))
            #expect(answer.gatewayAmount == amount)
            #expect(answer.currency == .value(currency))
        }
    }

    @Test func amountsThatISO4217CannotExpressAreUnreadable() {
        func paid(_ amounts: String) -> Answer {
            read(#"{"object":"payment_intent","id":"pi_1","currency":"isk","status":"succeeded",\#(amounts)}"#)
        }
        #expect(paid(#""amount":500,"amount_received":500"#).amountReceived == .value(5))
        #expect(paid(#""amount":500,"amount_received":550"#).amountReceived == .unreadable)
        #expect(paid(#""amount":550,"amount_received":500"#).state == .unknown)
        let canceled = #"{"object":"payment_intent","id":"pi_1","currency":"isk","status":"canceled","amount":500,"#
        #expect(read(canceled + #""amount_received":50}"#).state == .unknown)
        #expect(read(canceled + #""amount_received":0}"#).state == .closed)
        let refund = #""amount":500,"amount_received":500,"latest_charge":{"amount_refunded":"#
        #expect(paid(refund + "200}").refundedMinor == 2)
        #expect(paid(refund + "250}").state == .unknown)
    }

    @Test func aKeyOfTheOtherModeProvesNothingAboutTheOrder() async throws {
        let body = #"{"error":{"type":"invalid_request_error","code":"resource_missing","message":"#
        let other =
            "No such payment_intent: 'pi_1'; a similar object exists in live mode, but a test mode key was used."
        for (message, state) in [(other, Answer.State.configError), ("No such payment_intent: 'pi_1'", .notFound)] {
            let http = OutgoingClient()
            let response = OutgoingResponse(
                status: 404, body: Array((body + "\"\(message)\"}}").utf8))
            let answer = Self.gateway("http://127.0.0.1:1", http).answer(response)
            try await http.shutdown()
            #expect(answer.state == state)
            guard state == .configError else { continue }
            guard case .misconfigured = answer.laneSignal else { Issue.record("the lane does not know"); return }
        }
    }

    private func read(_ body: String) -> Answer { StripeIntent.answer(Array(body.utf8), authenticated: true) }

    @Test func whatIsThereMustBeReadable() {
        let head = #""object":"payment_intent","id":"pi_1","currency":"eur","amount":5,"#
        let paid = head + #""amount_received":5,"status":"succeeded""#
        #expect(read("{\(paid)}").state == .paid)
        #expect(read("{\(paid),\"latest_charge\":null}").state == .paid)
        #expect(read("{\(paid),\"latest_charge\":\"ch_1\"}").txn == "ch_1")
        #expect(read("{\(paid),\"latest_charge\":{\"disputed\":\"no\"}}").state == .unknown)
        #expect(read("{\(paid),\"latest_charge\":{\"amount_refunded\":\"0\"}}").state == .unknown)
        #expect(read("{\(paid),\"latest_charge\":7}").state == .unknown)
        for id in [#""\#(String(repeating: "c", count: 256))""#, #""ch\u0000""#] {
            #expect(read("{\(paid),\"latest_charge\":\(id)}").state == .unknown)
            #expect(read("{\(paid),\"latest_charge\":{\"id\":\(id)}}").state == .unknown)
        }
        #expect(read("{\(paid),\"latest_charge\":{\"id\":7}}").state == .unknown)
        #expect(read("{\(head)\"status\":\"succeeded\"}").amountReceived == .absent)
        #expect(read("{\(head)\"status\":\"succeeded\",\"amount_received\":5.5}").amountReceived == .unreadable)
        #expect(read("{\(head)\"status\":\"canceled\",\"amount_received\":5}").state == .unknown)
        #expect(read("{\(head)\"status\":\"canceled\",\"amount_received\":0}").state == .closed)
        #expect(read(#"{"object":"charge","status":"succeeded"}"#).state == .unknown)
        let both = read("{\(paid),\"latest_charge\":{\"disputed\":true,\"refunded\":true}}")
        #expect(both.state == .paid && both.isDisputed && both.refundedMinor == 5)
        #expect(read("{\(paid),\"latest_charge\":{\"refunded\":true}}").state == .refunded)
    }
}
