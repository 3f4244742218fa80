import Foundation
import Settings

/// One of `webhooks`: an endpoint that is told of events.
struct WebhookConfiguration: Sendable {
    var name: String
    var url: URL
    var secret: Secret
    /// Event types, `*` for any word: `order.*`.
    var events: [String]
    var limits: LaneLimits

    private static let types =
        ["order.paid", "order.closed", "order.review", "order.resolved"]
        + ["upload.complete", "upload.expired", "upload.review", "upload.resolved"]

    init(name: String, reading section: SettingsSection) throws {
        var section = section
        self.name = name
        url = try section.requiredURL("url")
        secret = try section.requiredSecret("secret")
        events = try section.strings("events") ?? ["*"]
        limits = try LaneLimits(reading: &section)
        guard !events.isEmpty, events.allSatisfy(Self.isKnown) else {
            throw section.error(
                "events", problem: "an entry matches no event",
                allowed: "*, order.*, upload.* and " + Self.types.joined(separator: ", "))
        }
        try section.finish()
    }

    private static func isKnown(_ pattern: String) -> Bool {
        pattern == "*" || pattern == "order.*" || pattern == "upload.*" || types.contains(pattern)
    }
}
