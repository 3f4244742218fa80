import JSON
import Testing
import Timeline

@testable import Payments

@Suite struct OrderInputTests {
    private func read(_ json: String) throws -> OrderInput { try OrderInput(json: JSONValue(parsing: json)) }

    private func field(_ json: String) -> String? {
        do {
            _ = try read(json)
            return nil
        } catch let error as InputError {
            return error.allowed.isEmpty || error.problem.isEmpty ? "no explanation" : error.field
        } catch {
            return "not JSON"
        }
    }

    private let head = #""id":"A-1","gateway":"acme","currency":"EUR""#

    @Test func aWholeOrderIsRead() throws {
        let order = try read(
            """
            {\(head),"amount_minor":1999,"gateway_ref":"pi_1","status":"closed","expires_at":"2026-11-23T14:00:00Z",
             "give_up_at":null,"next_check_at":"2026-11-23T14:00:01.5+08:00","metadata":{"a":[1.50,"x"]}}
            """)
        #expect(order.amountMinor == 1_999)
        #expect(order.status == "closed")
        #expect(order.giveUpAt == nil)
        #expect(order.firstCheck == .at(Timestamp("2026-11-23T06:00:01.5Z")!))
        #expect(order.metadata == #"{"a":[1.50,"x"]}"#)
        #expect(try read("{\(head),\"amount_minor\":1}").firstCheck == .byDefault)
        #expect(try read("{\(head),\"amount_minor\":1,\"next_check_at\":null}").firstCheck == .never)
        #expect(try read("{\(head),\"amount_minor\":9223372036854775807}").amountMinor == .max)
    }

    @Test(arguments: [
        "0", "-1", "9223372036854775808", "1e30", "1.5", "\"5\"", "true", "null", "[]",
    ])
    func wrongAmountsAreRefused(amount: String) {
        #expect(field("{\(head),\"amount_minor\":\(amount)}") == "amount_minor")
    }

    @Test func everyFieldIsNamed() {
        let amount = "\"amount_minor\":1"
        #expect(field("[]") == "order")
        #expect(field("{\(head)}") == "amount_minor")
        #expect(field(#"{"gateway":"acme","currency":"EUR",\#(amount)}"#) == "id")
        #expect(field(#"{"id":"A","currency":"EUR",\#(amount)}"#) == "gateway")
        #expect(field(#"{"id":"A","gateway":"acme",\#(amount)}"#) == "currency")
        for currency in ["eur", "XXX", "EURO", "", "ЕUR"] {
            #expect(field(#"{"id":"A","gateway":"acme","currency":"\#(currency)",\#(amount)}"#) == "currency")
        }
        for id in [
            "", "a\\u0000b", "a\\nb", String(repeating: "x", count: 256), String(repeating: "ü", count: 500_000),
        ] {
            #expect(field(#"{"id":"\#(id)","gateway":"acme","currency":"EUR",\#(amount)}"#) == "id")
        }
        for gateway in ["", "a b", "../x", "-a", "a\\u0000"] {
            #expect(field(#"{"id":"A","gateway":"\#(gateway)","currency":"EUR",\#(amount)}"#) == "gateway")
        }
        #expect(field("{\(head),\(amount),\"status\":\"paid\"}") == "status")
        #expect(field("{\(head),\(amount),\"expires_at\":\"tomorrow\"}") == "expires_at")
        #expect(field("{\(head),\(amount),\"expires_at\":\"infinity\"}") == "expires_at")
        #expect(field("{\(head),\(amount),\"created_at\":5}") == "created_at")
        #expect(field("{\(head),\(amount),\"gateway_ref\":\"\"}") == "gateway_ref")
        #expect(field("{\(head),\(amount),\"metadata\":[]}") == "metadata")
        #expect(field("{\(head),\(amount),\"metadata\":{\"a\":\"\\u0000\"}}") == "metadata")
        #expect(field("{\(head),\(amount),\"metadata\":{\"a\":1e999999}}") == "metadata")
        #expect(field("{\(head),\(amount),\"paid_at\":null}") == "paid_at")
        #expect(field("{\(head),\(amount),\"amount\":1}") == "amount")
    }

    @Test func wordsOfSQLAreOnlyWords() throws {
        let order = try read(#"{"id":"'; DROP TABLE orders; --","gateway":"acme","currency":"EUR","amount_minor":1}"#)
        #expect(order.id == "'; DROP TABLE orders; --")
    }
}
