/// An answer that says PAID, held against the order: what it lacks as a proof, and what differs.
struct OrderProof {
    /// What keeps the answer from being a proof at all: not authenticated, a required field missing or unreadable.
    private(set) var lacking: [String] = []
    /// Reasons for a review, in the order of precedence.
    private(set) var differences: [String] = []

    var isComplete: Bool { lacking.isEmpty && differences.isEmpty }

    init(_ order: Order, _ answer: Answer, _ requirements: OrderPolicy.Requirements, isDuplicate: Bool) {
        if !answer.authenticated { lacking.append("authentication") }
        let amount = require(answer.amountReceived, "amount")
        let currency = require(answer.currency, "currency")
        if answer.isDisputed || answer.state == .disputed { differences.append(OrderReason.disputed) }
        if (answer.refundedMinor ?? 0) != 0 || answer.state == .refunded { differences.append(OrderReason.refunded) }
        if let amount, let asked = answer.gatewayAmount, amount != asked {
            differences.append(amount < asked ? OrderReason.partial : OrderReason.overpaid)
        }
        if requirements.reference != .none, require(answer.orderReference, "order") != nil,
            Self.isAboutAnother(order, answer, requirements)
        {
            differences.append(OrderReason.orderMismatch)
        }
        if let expected = requirements.merchant, let merchant = require(answer.merchant, "merchant"),
            !Self.equal(merchant, expected)
        {
            differences.append(OrderReason.merchantMismatch)
        }
        if let currency, !Self.equal(currency, order.currency) { differences.append(OrderReason.currencyMismatch) }
        if let amount, amount != order.amountMinor { differences.append(OrderReason.amountMismatch) }
        if isDuplicate { differences.append(OrderReason.duplicate) }
    }

    /// Whether the answer names an order, and not ours: whatever it says, it says of another.
    static func isAboutAnother(
        _ order: Order, _ answer: Answer, _ requirements: OrderPolicy.Requirements
    ) -> Bool {
        switch answer.orderReference {
        case .absent: false
        // What we cannot read is not ours: our names are readable.
        case .unreadable: requirements.reference != .none
        case .value(let reference): !names(order, reference, requirements.reference)
        }
    }

    private mutating func require<Value>(_ field: Answer.Field<Value>, _ name: String) -> Value? {
        switch field {
        case .value(let value): return value
        case .absent: lacking.append(name)
        case .unreadable: lacking.append("readable \(name)")
        }
        return nil
    }

    private static func names(
        _ order: Order, _ reference: String, _ kind: OrderPolicy.Requirements.Reference
    ) -> Bool {
        let isGatewayRef = order.gatewayRef.map { equal(reference, $0) } ?? false
        return switch kind {
        case .none: true
        case .orderID: equal(reference, order.id)
        case .gatewayRef: isGatewayRef
        case .gatewayRefOrOrderID: isGatewayRef || equal(reference, order.id)
        }
    }

    // Byte for byte: `==` of strings holds canonically equivalent ones equal, which a gateway's keys are not.
    private static func equal(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }
}
