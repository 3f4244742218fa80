import Hummingbird
import Logging
import Timeline

/// `POST /v1/notify/{gateway}`: a gateway has news. Anyone may say so: it makes an order due, and the gateway is asked.
///
/// The answer is the same whatever the notification says and whether there is such an order.
public struct NotifyRoutes: ConsoleRoutes {
    /// What a gateway wants to hear when its notification has arrived.
    public struct Gateway: Sendable {
        public var name: String
        public var status: Int
        public var contentType: String
        public var body: String

        public init(name: String, status: Int, contentType: String, body: String) {
            self.name = name
            self.status = status
            self.contentType = contentType
            self.body = body
        }
    }

    /// What arrived.
    public struct Notification: Sendable {
        public var gateway: String
        public var query: String?
        public var contentType: String?
        public var body: [UInt8]
    }

    static let bytesMax = 64 << 10

    private let gateways: [String: Gateway]
    private let registry: MetricsRegistry
    private let nudge: @Sendable (Notification) async throws -> Int
    /// A sale's peak; and what one sender may take of it.
    private let gatewayBudget: RequestBudget
    private let addressBudget: RequestBudget

    /// - Parameter nudge: makes the orders due that the notification may mean; returns how many.
    public init(
        gateways: [Gateway], registry: MetricsRegistry, nudge: @escaping @Sendable (Notification) async throws -> Int
    ) {
        self.init(
            gateways: gateways, registry: registry, gatewayBudget: RequestBudget(rate: 500, burst: 1_000),
            addressBudget: RequestBudget(rate: 100, burst: 300), nudge: nudge)
    }

    init(
        gateways: [Gateway], registry: MetricsRegistry, gatewayBudget: RequestBudget, addressBudget: RequestBudget,
        nudge: @escaping @Sendable (Notification) async throws -> Int
    ) {
        self.gateways = Dictionary(gateways.map { ($0.name, $0) }) { first, _ in first }
        self.registry = registry
        self.gatewayBudget = gatewayBudget
        self.addressBudget = addressBudget
        self.nudge = nudge
    }

    public func add(to router: Router<ConsoleContext>) { route.add(to: router) }

    public var operations: [APIOperation] { [route.operation] }

    private var route: APIRoute {
        var operation = APIOperation(
            .post, "/v1/notify/{gateway}", role: nil,
            "Take a gateway's notification: what it names is asked about at once, and at most once in 5 seconds. "
                + "It proves nothing. The body is the gateway's own, or {\"id\": …} or {\"gateway_ref\": …}.",
            pathParameters: [.init("gateway", "The gateway's name.", schema: APISchema.id)],
            answers: [
                .init(.ok, "Taken, in the words that the gateway wants.", schema: nil),
                .init(.accepted, "Taken.", schema: #"{"type":"object"}"#),
            ], problems: [.contentTooLarge, .tooManyRequests])
        operation.takesAnything = true
        operation.body = .init(schema: "{}", bytesMax: Self.bytesMax)
        return APIRoute(operation: operation) { request in
            guard let gateway = gateways[try request.segment("gateway")] else { throw APIRequest.noRow("gateway") }
            let wait = addressBudget.take(request.address) ?? gatewayBudget.take(gateway.name)
            guard wait == nil else {
                count(gateway, "refused")
                throw Problem(.tooManyRequests, "too many notifications", headers: [.retryAfter: "1"])
            }
            let notification = Notification(
                gateway: gateway.name, query: request.rawQuery, contentType: request.contentType,
                body: try await request.bytes())
            count(gateway, try await nudge(notification) > 0 ? "nudged" : "taken")
            return ConsoleServer.json(
                HTTPResponse.Status(code: gateway.status), gateway.body, type: gateway.contentType)
        }
    }

    private func count(_ gateway: Gateway, _ outcome: String) {
        registry.counter(
            "reconciled_notifications_total", help: "Notifications of gateways, by what became of them.",
            labels: [("gateway", gateway.name), ("outcome", outcome)]
        ).increment()
    }
}
