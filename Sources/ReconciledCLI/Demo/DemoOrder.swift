import Sandbox

/// One order of the demo, and what must become of it.
struct DemoOrder {
    var id: String
    var gateway: String
    var gatewayRef: String?
    var amountMinor: Int64
    var currency: String
    var scenario: SandboxScenario
    /// The notification arrives after all, while the pollers are at work.
    var isHealthy = false
    /// Set on the order that holds the duplicates' transaction.
    var transaction: String?

    var initialStatus: String { transaction == nil ? scenario.initialStatus : "paid" }
    var expectedStatus: String { transaction == nil ? scenario.expectedStatus : "paid" }
    var expectedReason: String? { transaction == nil ? scenario.expectedReason : nil }

    /// So many orders, a third of them stuck in every way that the decision table knows, the others healthy: their
    /// notifications are only a little late.
    static func sample(count: Int) -> [DemoOrder] {
        let stuck = SandboxScenario.allCases.filter { $0.isDemonstrable && $0 != .webhook }
        var orders = (1...count).map { number in
            let isStuck = number % 3 == 0
            let scenario = isStuck ? stuck[number / 3 % stuck.count] : .paid
            // 404s that prove nothing come from the plain JSON gateway; the rest is spread over both.
            let usesJSON = scenario == .vanished || (number % 2 == 0 && isSpokenByJSON(scenario))
            return order(number, scenario, usesJSON: usesJSON, isHealthy: !isStuck)
        }
        var holder = order(0, .duplicate, usesJSON: false, isHealthy: false)
        holder.transaction = "ch_sandbox_shared"
        orders.append(holder)
        return orders
    }

    private static func order(
        _ number: Int, _ scenario: SandboxScenario, usesJSON: Bool, isHealthy: Bool
    ) -> DemoOrder {
        let amount = Int64(500 + number * 37 % 20_000)
        let currency = ["EUR", "USD", "GBP"][number % 3]
        let reference = scenario.intentID(amountMinor: amount, currency: currency, number: number)
        let id = usesJSON ? reference.replacing("pi_", with: "acme_", maxReplacements: 1) : "order-\(number)"
        return DemoOrder(
            id: id, gateway: usesJSON ? "acme" : "stripe", gatewayRef: usesJSON ? nil : reference, amountMinor: amount,
            currency: currency, scenario: scenario, isHealthy: isHealthy)
    }

    /// What only Stripe's answers can say: refunds, disputes, amounts received, transactions that others hold.
    private static func isSpokenByJSON(_ scenario: SandboxScenario) -> Bool {
        switch scenario {
        case .paid, .soon, .slow, .flaky, .cut, .garbage, .dropped, .canceled, .unpaid, .processing, .late, .abandoned,
            .amount, .currency, .gaveup:
            true
        default: false
        }
    }
}
