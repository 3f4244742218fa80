import JSON
import Timeline

/// Reads a PaymentIntent with its latest charge.
enum StripeIntent {
    /// Powers of ten from Stripe's minor units to those of ISO 4217, for the currencies in which they differ.
    ///
    /// Source: docs.stripe.com/currencies, "Zero-decimal currencies" and "Special cases".
    private static let placesByCurrency = ["ISK": -2, "UGX": -2, "MGA": 2]

    private struct Unreadable: Error {
        var problem: String
    }

    static func answer(_ body: [UInt8], authenticated: Bool) -> Answer {
        do {
            return try read(try JSONValue(parsing: body), authenticated: authenticated)
        } catch let error as Unreadable {
            return .unknown(AnswerFailure(.unreadable, status: 200, problem: error.problem))
        } catch {
            return .unknown(AnswerFailure(.unreadable, status: 200, problem: "The answer is \(error)."))
        }
    }

    private static func read(_ intent: JSONValue, authenticated: Bool) throws -> Answer {
        guard intent["object"]?.string == "payment_intent", let status = intent["status"]?.string else {
            throw Unreadable(problem: "The answer is not a PaymentIntent.")
        }
        var answer = Answer(try state(status), authenticated: authenticated)
        answer.gatewayState = status
        answer.isClosable = ["requires_payment_method", "requires_confirmation", "requires_action"].contains(status)
        answer.orderReference = text(intent["id"])
        answer.currency = text(intent["currency"])
        if case .value(let code) = answer.currency { answer.currency = Answer.currency(code) }
        let places = answer.currency.value.flatMap { placesByCurrency[$0] } ?? 0
        answer.amountReceived = amount(intent["amount_received"], places)
        let asked = amount(intent["amount"], places)
        guard asked != .unreadable else { throw Unreadable(problem: "The PaymentIntent's amount is not readable.") }
        answer.gatewayAmount = asked.value
        try readCharge(intent["latest_charge"], places, into: &answer)
        if answer.state == .closed, ![.absent, .value(0)].contains(answer.amountReceived) {
            throw Unreadable(problem: "The PaymentIntent is canceled, and yet an amount was received.")
        }
        return answer
    }

    private static func state(_ status: String) throws -> Answer.State {
        switch status {
        case "succeeded": return .paid
        case "canceled": return .closed
        // A failed attempt returns to requires_payment_method: it is not the end of the order.
        case "requires_payment_method", "requires_confirmation", "requires_action", "requires_capture", "processing":
            return .notPaidYet
        default:
            let shown = Answer.text(status).value.map { " “\($0)”" } ?? ""
            throw Unreadable(problem: "The PaymentIntent's status\(shown) is not known to this version.")
        }
    }

    /// Without a charge, or with its bare id, nothing was refunded or disputed; what is there must be readable.
    private static func readCharge(_ charge: JSONValue?, _ places: Int, into answer: inout Answer) throws {
        guard let charge, !charge.isNull else { return }
        if charge.string != nil {
            answer.txn = try txn(charge)
            return
        }
        guard case .object = charge else { throw Unreadable(problem: "The PaymentIntent's charge is not readable.") }
        answer.txn = try txn(charge["id"])
        if answer.state == .paid, let created = charge["created"]?.integer, (0...253_402_300_799).contains(created) {
            answer.paidAt = Timestamp(microseconds: created * 1_000_000)
        }
        if let value = charge["amount_refunded"], !value.isNull {
            guard let refunded = amount(value, places).value else {
                throw Unreadable(problem: "The charge's amount_refunded is not readable.")
            }
            answer.refundedMinor = refunded == 0 ? nil : refunded
        }
        answer.isDisputed = try flag(charge["disputed"], "disputed")
        if try flag(charge["refunded"], "refunded") {
            if answer.refundedMinor == nil, answer.isDisputed { answer.refundedMinor = answer.amountReceived.value }
            // A dispute outranks the refund; the payment then stays a payment with both on record.
            if answer.state == .paid, !answer.isDisputed { answer.state = .refunded }
        }
    }

    /// Without its transaction a payment could not be told from one that another order holds already.
    private static func txn(_ value: JSONValue?) throws -> String? {
        let txn = text(value)
        guard txn != .unreadable else { throw Unreadable(problem: "The charge's id is not readable.") }
        return txn.value
    }

    private static func flag(_ value: JSONValue?, _ name: String) throws -> Bool {
        guard let value, !value.isNull else { return false }
        guard let flag = value.bool else { throw Unreadable(problem: "The charge's \(name) is not readable.") }
        return flag
    }

    private static func amount(_ value: JSONValue?, _ places: Int) -> Answer.Field<Int64> {
        guard let value, !value.isNull else { return .absent }
        guard case .number(let raw) = value, let amount = ExactDecimal.scaled(raw, places: places) else {
            return .unreadable
        }
        return .value(amount)
    }

    private static func text(_ value: JSONValue?) -> Answer.Field<String> {
        guard let value, !value.isNull else { return .absent }
        return value.string.map(Answer.text) ?? .unreadable
    }
}
