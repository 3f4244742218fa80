import Outgoing
import Timeline

/// Where events go, as it is configured.
public struct Endpoint: Sendable {
    /// The event types that there are.
    public static let types =
        ["order.paid", "order.closed", "order.review", "order.resolved"]
        + ["upload.complete", "upload.expired", "upload.review", "upload.resolved"]
    public static let eventsAllowed = "*, order.*, upload.* and " + types.joined(separator: ", ")

    public var name: String
    public var url: EndpointURL
    /// Each attempt is signed with all of them.
    public var secrets: [WebhookSecret]
    /// Which events it wants: types, `*` for any word.
    public var events: [String]

    public init(name: String, url: EndpointURL, secrets: [WebhookSecret], events: [String] = ["*"]) {
        self.name = name
        self.url = url
        self.secrets = secrets
        self.events = events
    }

    /// Whether there is an event that `pattern` takes.
    public static func isKnown(_ pattern: String) -> Bool {
        ["*", "order.*", "upload.*"].contains(pattern) || types.contains(pattern)
    }

    /// One attempt. What is signed are the very bytes of the body.
    ///
    /// - Parameter now: when it is made; receivers refuse what is older than some minutes.
    func request(_ delivery: Delivery, now: Timestamp) -> OutgoingRequest {
        let seconds = now.microseconds / 1_000_000
        let signatures = secrets.map {
            $0.signature(id: delivery.eventID, timestamp: seconds, body: delivery.payload)
        }
        return OutgoingRequest(
            method: "POST", url: url.description,
            headers: [
                (name: "content-type", value: "application/json"),
                (name: "webhook-id", value: delivery.eventID),
                (name: "webhook-timestamp", value: "\(seconds)"),
                (name: "webhook-signature", value: signatures.joined(separator: " ")),
            ], body: delivery.payload)
    }
}
