/// The situations that the sandbox can act out, and how an order in each of them must end.
///
/// A reference names its own truth: `pi_<scenario>_<amount><currency>_<anything>`, e.g. `pi_paid_1999eur_17`; so an
/// intent needs no registration, and whoever reads an order's reference knows what must become of it. `/orders/{id}`
/// reads ids of the same form with any prefix.
public enum SandboxScenario: String, Sendable, CaseIterable {
    case paid
    case soon
    case webhook
    case slow
    case flaky
    case throttled
    case cut
    case garbage
    case dropped
    case canceled
    case unpaid
    case processing
    case gaveup
    case missing
    case vanished
    case late
    case abandoned
    case amount
    case currency
    case partial
    case overpaid
    case refunded
    case partrefund
    case disputed
    case duplicate
    case newstate
    case down
    case hang
    case huge
    case redirect
    case unauthorized

    /// What happens, in one line.
    public var summary: String {
        switch self {
        case .paid: "paid; the notification was lost"
        case .soon: "not paid yet; paid three seconds after the first question"
        case .webhook: "the application already wrote paid, and the row is still due"
        case .slow: "paid; every answer takes two seconds"
        case .flaky: "paid; the first two answers are HTTP 503"
        case .throttled: "paid; the first answer is HTTP 429 with Retry-After: 1"
        case .cut: "paid; the first answer is cut in the middle of its body"
        case .garbage: "paid; the first answer is not JSON"
        case .dropped: "paid; the connection of the first question is closed without an answer"
        case .canceled: "canceled at the gateway"
        case .unpaid: "not paid, and it stays so until it is canceled"
        case .processing: "a payment is on its way for days"
        case .gaveup: "not paid, and past the order's give_up_at"
        case .missing: "the gateway does not know the order (yet)"
        case .vanished: "a 404 that proves nothing, past the order's give_up_at"
        case .late: "paid at the gateway after the order was cancelled here"
        case .abandoned: "cancelled here, and not paid there either"
        case .amount: "paid, but another amount than ours"
        case .currency: "paid, but in another currency than ours"
        case .partial: "the gateway received less than it asked for"
        case .overpaid: "the gateway received more than it asked for"
        case .refunded: "paid and refunded"
        case .partrefund: "paid and refunded in part"
        case .disputed: "paid and disputed"
        case .duplicate: "paid, with a transaction that another order holds already"
        case .newstate: "a state that this version does not know"
        case .down: "every answer is HTTP 503"
        case .hang: "no answer for a minute"
        case .huge: "an answer of 2 MiB"
        case .redirect: "a redirect to another address"
        case .unauthorized: "the gateway refuses our key: the lane pauses itself"
        }
    }

    /// The status that an order of this kind begins with.
    public var initialStatus: String {
        switch self {
        case .webhook: "paid"
        case .late, .abandoned: "cancelled"
        default: "pending"
        }
    }

    /// Whether the order is older than the time at which one gives up on it.
    public var isPastGiveUp: Bool { self == .gaveup || self == .vanished }

    /// The status that the order must end with, once the poller had time for it.
    public var expectedStatus: String {
        if expectedReason != nil { return "review" }
        switch self {
        case .canceled: return "closed"
        case .abandoned: return "cancelled"
        case .unpaid, .processing, .missing, .newstate, .down, .hang, .huge, .redirect, .unauthorized: return "pending"
        default: return "paid"
        }
    }

    /// The reason that puts the order before a human; nil for none.
    public var expectedReason: String? {
        switch self {
        case .gaveup: "GAVE_UP"
        case .vanished: "NOT_FOUND_AFTER_GRACE"
        case .late: "PAID_LATE"
        case .amount: "AMOUNT_MISMATCH"
        case .currency: "CURRENCY_MISMATCH"
        case .partial: "PARTIAL"
        case .overpaid: "OVERPAID"
        case .refunded, .partrefund: "REFUNDED"
        case .disputed: "DISPUTED"
        case .duplicate: "DUPLICATE"
        default: nil
        }
    }

    /// Whether the scenario disturbs only its own orders, so that a demonstration can mix it with the others.
    public var isDemonstrable: Bool {
        switch self {
        case .unauthorized, .down, .hang, .huge, .redirect: false
        default: true
        }
    }

    /// The transaction that all orders of `duplicate` name: whoever acts it out gives it to another order first.
    public static let sharedCharge = "ch_sandbox_shared"

    /// The reference that acts out this scenario.
    public func intentID(amountMinor: Int64, currency: String, number: Int) -> String {
        "pi_\(rawValue)_\(amountMinor)\(currency.lowercased())_\(number)"
    }
}
