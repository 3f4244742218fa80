import Reconciling

/// What the decision table makes of one answer.
public struct OrderDecision: Hashable, Sendable {
    public var verdict: Verdict
    public var next: Next
    /// Nil writes the schedule only.
    public var change: OrderChange?
    /// Machine-readable.
    public var reason: String
    /// For people, with the verdict `failed`.
    public var error: String?
    public var progress: OrderProgress
    public var contradictedBy: [String]
    /// The order is to be closed at the gateway first and asked about again; the rest of the decision holds if that
    /// cannot be done now.
    public var closesAtGateway: Bool

    public init(
        _ verdict: Verdict, next: Next, change: OrderChange? = nil, reason: String, error: String? = nil,
        progress: OrderProgress = .init(), contradictedBy: [String] = [], closesAtGateway: Bool = false
    ) {
        self.verdict = verdict
        self.next = next
        self.change = change
        self.reason = reason
        self.error = error
        self.progress = progress
        self.contradictedBy = contradictedBy
        self.closesAtGateway = closesAtGateway
    }
}

/// The words of `review_reason`, and the reasons of a check that changes nothing else.
public enum OrderReason {
    public static let disputed = "DISPUTED"
    public static let refunded = "REFUNDED"
    public static let partial = "PARTIAL"
    public static let overpaid = "OVERPAID"
    public static let orderMismatch = "ORDER_MISMATCH"
    public static let merchantMismatch = "MERCHANT_MISMATCH"
    public static let currencyMismatch = "CURRENCY_MISMATCH"
    public static let amountMismatch = "AMOUNT_MISMATCH"
    public static let duplicate = "DUPLICATE"
    public static let notFoundAfterGrace = "NOT_FOUND_AFTER_GRACE"
    public static let gaveUp = "GAVE_UP"
    public static let paidLate = "PAID_LATE"
    public static let paidButAbsent = "PAID_BUT_ABSENT"
    public static let poison = "POISON"
    public static let cutOff = "CUT_OFF"
    /// A status that is not one of ours, of a mapped table: never touched.
    public static let foreignStatus = "FOREIGN_STATUS"
    public static let alreadyPaid = "ALREADY_PAID"
    public static let dryRun = "dry_run"
}
