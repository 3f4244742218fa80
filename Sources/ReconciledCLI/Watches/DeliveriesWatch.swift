import Console
import Deliveries
import JSON
import Reconciling

/// Deliveries, whose lanes are the webhooks.
struct DeliveriesWatch: ServedWatch {
    typealias Table = DeliveryTable

    static let noun = "delivery"
    static let laneNoun = "endpoint"
    static let waitingStatus = "pending"
    static let statuses = ["pending", "delivered", "review"]
    static let decisions = ["pending", "delivered"]
    static let decisionsHelp = """
        pending has it sent again from the start, under the same webhook-id; delivered takes your word that it arrived.
        """

    let settings: WatchConfiguration
    private let webhooks: [WebhookConfiguration]

    init(_ configuration: Configuration) {
        settings = configuration.watches.deliveries
        webhooks = configuration.webhooks
    }

    var lanes: [LaneConfiguration] {
        webhooks.map {
            LaneConfiguration(
                name: $0.endpoint.name, concurrency: $0.limits.concurrency, timeout: $0.limits.timeout)
        }
    }

    func reconciler(_ outside: OutsideWorld) -> DeliveryReconciler {
        DeliveryReconciler(endpoints: webhooks.map(\.endpoint), http: outside.http)
    }

    /// A check that is told that it is a dry run sends nothing.
    func dryRunning() -> DeliveriesWatch { self }

    func isDryRunning(_ lane: String) -> Bool { false }

    static let columns: [TextTable.Column] = [
        .init("ID", .right), .init("EVENT"), .init("SUBJECT"), .init("ENDPOINT"), .init("STATUS"),
        .init("NEXT ATTEMPT"), .init("FAILED", .right), .init("CODE", .right), .init("WHY"),
    ]

    static func cells(of row: RowText) -> [String?] {
        [
            row["id"], row["event_type"], row["subject"], row["endpoint"], row["status"],
            row.time("next_check_at") ?? "at rest", row["failure_count"], row["last_status_code"],
            row["review_reason"] ?? row["last_error"],
        ]
    }

    func validate(_ json: JSONValue) throws(InputError) -> String {
        throw InputError(
            "deliveries", problem: "are not added by hand",
            allowed: "changes of orders and uploads, each of which writes its own")
    }

    /// What is no number would be read as the beginning, and the first page come again for ever.
    static func validate(after id: String, as field: String) throws(InputError) {
        guard DeliveryTable.isID(id) else {
            throw InputError(
                field, problem: "is no delivery's id", allowed: "a whole number above zero, of 18 digits at most")
        }
    }

    func resolution(_ decision: Decision, lane: String?) -> DeliveryTable.Resolution { .init() }

    static func conflict(with decision: Decision?) -> String { "the event has a delivery for that endpoint already" }

    static func reviewReason(after change: DeliveryChange) -> String? { change.reviewReason }

    static func effect(of would: JSONValue) -> String? {
        guard let url = would["url"]?.string, let id = would["webhook_id"]?.string else { return nil }
        return "send \(id) to \(url)"
    }
}
