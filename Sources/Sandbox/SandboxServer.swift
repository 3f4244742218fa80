import Foundation
import Hummingbird
import Logging
import ServiceLifecycle

/// A fake gateway for trying things out: Stripe's PaymentIntents and a plain JSON order endpoint, with faults.
///
/// | request | answer |
/// |---|---|
/// | `GET /v1/payment_intents/{id}` | the PaymentIntent; any key but `sk_wrong` is taken |
/// | `POST /v1/payment_intents/{id}/cancel` | cancels an unpaid one |
/// | `GET /orders/{id}` | the same truth as `{order, status, amount, currency, merchant, txn}` |
/// | `POST /sandbox/intents` | registers a JSON list of intents |
/// | `GET /sandbox/calls` | how often each reference was asked about |
/// | `POST /webhooks` | takes webhooks that are signed by the secret (401 for others) |
/// | `GET /sandbox/webhooks` | how many arrived, by type |
public struct SandboxServer: Service {
    private let host: String
    private let port: Int
    private let logger: Logger
    private let onRunning: @Sendable (Int) async -> Void
    private let ledger = SandboxLedger()
    public let webhooks: SandboxWebhooks

    /// - Parameters:
    ///   - port: 0 takes any free one.
    ///   - webhookSecret: what webhooks must be signed by; without one all are refused.
    ///   - onRunning: told the port once connections are accepted.
    public init(
        host: String = "127.0.0.1", port: Int = 0, webhookSecret: String? = nil, logger: Logger,
        onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        self.host = host
        self.port = port
        self.logger = logger
        webhooks = SandboxWebhooks(secret: webhookSecret)
        self.onRunning = onRunning
    }

    public func run() async throws {
        let onRunning = onRunning
        let application = Application(
            router: router, configuration: .init(address: .hostname(host, port: port), serverName: "sandbox"),
            onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? 0) }, logger: logger)
        try await application.run()
    }

    private var router: Router<BasicRequestContext> {
        let router = Router()
        let stripe = SandboxStripe(ledger: ledger)
        router.get("/v1/payment_intents/:id") { request, context in
            try await stripe.intent(request, id: try context.parameters.require("id"))
        }
        router.post("/v1/payment_intents/:id/cancel") { request, context in
            try await stripe.cancel(request, id: try context.parameters.require("id"))
        }
        let ledger = ledger
        router.get("/orders/:id") { _, context in
            let id = try context.parameters.require("id")
            guard let look = await ledger.ask(id), look.status != "missing" else {
                return try SandboxAnswer.json(.notFound, ["message": "no such order"])
            }
            if let fault = look.fault, let answer = try await SandboxAnswer.faulty(fault) { return answer }
            return try SandboxAnswer.json(.ok, SandboxOrderBody(look))
        }
        router.post("/sandbox/intents") { request, _ in
            let body = try await request.body.collect(upTo: 16 << 20)
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            guard let inputs = try? decoder.decode([SandboxIntentInput].self, from: Data(body.readableBytesView))
            else { return try SandboxAnswer.json(.badRequest, ["message": "a JSON list of intents is expected"]) }
            var intents: [SandboxIntent] = []
            for input in inputs {
                guard let intent = input.intent else {
                    let faults = SandboxFault.allCases.map(\.rawValue).joined(separator: ", ")
                    return try SandboxAnswer.json(.badRequest, ["message": "fault is one of \(faults)"])
                }
                intents.append(intent)
            }
            guard await ledger.register(intents) else {
                return try SandboxAnswer.json(.contentTooLarge, ["message": "too many intents"])
            }
            return try SandboxAnswer.json(.created, ["registered": intents.count])
        }
        router.get("/sandbox/calls") { _, _ in
            try SandboxAnswer.json(.ok, await ledger.calls())
        }
        let webhooks = webhooks
        router.post("/webhooks") { request, _ in
            let body = try await request.body.collect(upTo: 1 << 20)
            return Response(status: await webhooks.take(request.headers, Array(body.readableBytesView)))
        }
        router.get("/sandbox/webhooks") { _, _ in try SandboxAnswer.json(.ok, await webhooks.counts) }
        return router
    }
}
