import Console
import JSON
import Payments
import Reconciling

/// Orders, whose lanes are the gateways.
struct OrdersWatch: ServedWatch {
    typealias Table = OrderTable

    static let noun = "order"
    static let laneNoun = "gateway"
    static let waitingStatus = "pending"
    static let statuses = ["pending", "paid", "closed", "cancelled", "review"]
    static let decisions = ["pending", "paid", "closed", "cancelled", "review"]
    static let takesTransaction = true
    static let decisionsHelp = """
        pending asks again from the start: counters and reason are cleared, and a new give_up_at is set. paid (with the \
        transaction that proves it), closed, cancelled and review put the order to rest.
        """

    let settings: WatchConfiguration
    private let foreignLanes: ForeignLanes
    private var gateways: [GatewayConfiguration]

    init(_ configuration: Configuration) {
        settings = configuration.watches.orders
        gateways = configuration.gateways
        foreignLanes = ForeignLanes(configuration, besidesEach: Self.laneNoun)
    }

    var lanes: [LaneConfiguration] { gateways.map(\.lane) }

    func reconciler(_ outside: OutsideWorld) -> OrderReconciler {
        OrderReconciler(gateways: gateways, http: outside.http)
    }

    func dryRunning() -> OrdersWatch {
        var watch = self
        for index in watch.gateways.indices { watch.gateways[index].policy.isDryRun = true }
        return watch
    }

    func isDryRunning(_ lane: String) -> Bool { gateways.first { $0.name == lane }?.policy.isDryRun ?? false }

    static let columns: [TextTable.Column] = [
        .init("ID"), .init("GATEWAY"), .init("STATUS"), .init("AMOUNT", .right), .init("NEXT CHECK"),
        .init("CHECKS", .right), .init("LAST"), .init("WHY"),
    ]

    static func cells(of row: RowText) -> [String?] {
        [
            row["id"], row["gateway"], row["status"], amount(of: row), row.time("next_check_at") ?? "at rest",
            row["check_count"], row["last_verdict"], row["review_reason"] ?? row["last_error"],
        ]
    }

    static func note(on column: String, of row: RowText) -> String? {
        column == "amount_minor" ? amount(of: row) : nil
    }

    /// `19.99 EUR`.
    static func amount(of row: RowText) -> String? {
        guard let minor = row["amount_minor"], let currency = row["currency"] else { return nil }
        let exponent = Currency.exponent(of: currency) ?? 0
        guard exponent > 0 else { return "\(minor) \(currency)" }
        let padded = String(repeating: "0", count: max(0, exponent + 1 - minor.count)) + minor
        return "\(padded.dropLast(exponent)).\(padded.suffix(exponent)) \(currency)"
    }

    static var inputSchema: String? { OrderInput.schema }

    func validate(_ json: JSONValue) throws(InputError) -> String {
        let input = try OrderInput(json: json)
        try foreignLanes.check(input.gateway)
        return input.id
    }

    static func validate(_ decision: Decision) throws(InputError) {
        let allowed = "the gateway's transaction that proves it, 1 to 255 characters"
        guard let transaction = decision.transaction, !transaction.isEmpty else {
            guard decision.status != "paid" else {
                throw InputError("txn", problem: "is missing, and status paid needs it", allowed: allowed)
            }
            return
        }
        guard transaction.unicodeScalars.count <= 255, !transaction.hasControlCharacter else {
            throw InputError("txn", problem: "cannot be stored", allowed: allowed)
        }
        guard transaction.first?.isWhitespace == false, transaction.last?.isWhitespace == false else {
            throw InputError("txn", problem: "begins or ends with a blank", allowed: allowed)
        }
    }

    func resolution(_ decision: Decision, lane: String?) -> OrderResolution {
        let policy = gateways.first { $0.name == lane }?.policy ?? OrderPolicy()
        return OrderResolution(transaction: decision.transaction, giveUpAfter: policy.giveUpAfter)
    }

    static func conflict(with decision: Decision?) -> String {
        guard let decision else { return "another order of the same gateway has that gateway_ref" }
        return "another order of this gateway holds the transaction \(JSONText.quoted(decision.transaction))"
    }

    static func reviewReason(after change: OrderChange) -> String? { change.reviewReason }

    static func effect(of would: JSONValue) -> String? {
        would["close_at_gateway"]?.bool == true ? "close it at the gateway and ask again" : nil
    }
}
