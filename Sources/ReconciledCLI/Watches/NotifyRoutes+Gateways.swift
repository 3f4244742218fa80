import Console
import JSON
import Payments
import Postgres
import PostgresStore

extension NotifyRoutes {
    /// What the gateways of the configuration send.
    init(_ gateways: [GatewayConfiguration], pool: PostgresPool, registry: MetricsRegistry) {
        let desk = WatchDesk<OrderTable>(pool: pool, actor: "")
        self.init(gateways: gateways.map(Self.gateway), registry: registry) { notification in
            var parameters = QueryText.readable(notification.query)
            let body: JSONValue?
            if notification.contentType?.lowercased().hasPrefix("application/x-www-form-urlencoded") == true {
                parameters += QueryText.readable(String(decoding: notification.body, as: UTF8.self))
                body = nil
            } else {
                // What is no JSON names nothing of ours.
                body = try? JSONValue(parsing: notification.body)
            }
            return try await desk.notify(
                GatewayNotification(parameters: parameters, body: body), gateway: notification.gateway)
        }
    }

    /// Both send a notification again until they are answered in these words.
    private static func gateway(_ gateway: GatewayConfiguration) -> Gateway {
        switch gateway.kind {
        case .unsupported("alipay"):
            Gateway(name: gateway.name, status: 200, contentType: "text/plain", body: "success")
        case .unsupported("wechatpay"):
            Gateway(
                name: gateway.name, status: 200, contentType: "application/json",
                body: #"{"code":"SUCCESS","message":"OK"}"#)
        default:
            Gateway(name: gateway.name, status: 202, contentType: "application/json", body: #"{"taken":true}"#)
        }
    }
}
