/// A PaymentIntent as Stripe writes it (in snake case), as far as anyone reads it.
struct SandboxIntentBody: Encodable {
    struct Charge: Encodable {
        var id: String
        var object = "charge"
        var amount: Int64
        var amountRefunded: Int64
        var refunded: Bool
        var disputed: Bool
        var created: Int64
    }

    var id: String
    var object = "payment_intent"
    var amount: Int64
    var amountReceived: Int64
    var currency: String
    var status: String
    var latestCharge: Charge?
    var livemode = false

    init(_ look: SandboxLedger.Look, createdAt: Int64) {
        let intent = look.intent
        id = intent.id
        amount = Self.stripeAmount(intent.amount, intent.currency)
        currency = intent.currency
        status = look.status
        let isPaid = look.status == "succeeded"
        amountReceived = isPaid ? Self.stripeAmount(intent.amountReceived ?? intent.amount, intent.currency) : 0
        guard isPaid else { return }
        let refunded = Self.stripeAmount(intent.amountRefunded, intent.currency)
        latestCharge = Charge(
            id: intent.charge ?? "ch_\(intent.id)", amount: amountReceived, amountRefunded: refunded,
            refunded: refunded >= amountReceived, disputed: intent.isDisputed, created: createdAt)
    }

    /// Stripe's minor units are not those of ISO 4217 in these currencies (docs.stripe.com/currencies).
    private static func stripeAmount(_ amount: Int64, _ currency: String) -> Int64 {
        switch currency {
        case "isk", "ugx": min(amount, .max / 100) * 100
        case "mga": amount / 100
        default: amount
        }
    }
}

/// The same truth in plain JSON, for the gateway kind `http`.
struct SandboxOrderBody: Encodable {
    var order: String
    var status: String
    var amount: Int64
    var currency: String
    var merchant = "sandbox"
    var txn: String?

    init(_ look: SandboxLedger.Look) {
        let intent = look.intent
        order = intent.id
        currency = intent.currency.uppercased()
        amount = intent.amount
        status =
            switch look.status {
            case "succeeded" where intent.isDisputed: "disputed"
            case "succeeded" where intent.amountRefunded > 0: "refunded"
            case "succeeded": "paid"
            case "canceled": "void"
            case "requires_payment_method", "requires_confirmation", "requires_action", "requires_capture",
                "processing":
                "open"
            default: look.status
            }
        guard look.status == "succeeded" else { return }
        amount = intent.amountReceived ?? intent.amount
        txn = intent.charge ?? "ch_\(intent.id)"
    }
}

struct SandboxErrorBody: Encodable {
    struct Problem: Encodable {
        var type: String
        var code: String?
        var message: String
    }

    var error: Problem

    init(_ type: String, code: String? = nil, _ message: String) {
        error = Problem(type: type, code: code, message: message)
    }
}

/// An intent as `POST /sandbox/intents` takes it (in snake case).
struct SandboxIntentInput: Decodable {
    struct Step: Decodable {
        var afterMs: Int64?
        var status: String
    }

    var id: String
    var amount: Int64
    var currency: String
    var amountReceived: Int64?
    var amountRefunded: Int64?
    var disputed: Bool?
    var charge: String?
    var script: [Step]?
    var fault: String?
    var faultCount: Int?

    /// Nil for a fault that does not exist.
    var intent: SandboxIntent? {
        var intent = SandboxIntent(id: id, amount: amount, currency: currency.lowercased())
        intent.amountReceived = amountReceived
        intent.amountRefunded = amountRefunded ?? 0
        intent.isDisputed = disputed ?? false
        intent.charge = charge
        intent.faultCount = faultCount
        if let script, !script.isEmpty {
            intent.script = script.map { .init(after: .milliseconds($0.afterMs ?? 0), status: $0.status) }
        }
        if let fault {
            guard let known = SandboxFault(rawValue: fault) else { return nil }
            intent.fault = known
        }
        return intent
    }
}
