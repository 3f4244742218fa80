import Deliveries
import Outgoing
import Settings

/// One of `webhooks`: an endpoint that is told of events.
struct WebhookConfiguration: Sendable {
    var endpoint: Endpoint
    var limits: LaneLimits

    init(name: String, reading section: SettingsSection) throws {
        var section = section
        guard let url = EndpointURL(try section.requiredString("url")) else {
            throw section.error("url", problem: "the value is not an address to call", allowed: EndpointURL.allowed)
        }
        guard let secrets = WebhookSecret.list(try section.requiredSecret("secret").value) else {
            throw section.error(
                "secret", problem: "the value is not a webhook's secret", allowed: WebhookSecret.allowed)
        }
        let events = try section.strings("events") ?? ["*"]
        limits = try LaneLimits(reading: &section)
        guard !events.isEmpty, events.allSatisfy(Endpoint.isKnown) else {
            throw section.error("events", problem: "an entry matches no event", allowed: Endpoint.eventsAllowed)
        }
        endpoint = Endpoint(name: name, url: url, secrets: secrets, events: events)
        try section.finish()
    }
}
