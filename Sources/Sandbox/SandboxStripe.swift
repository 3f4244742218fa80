import Hummingbird

/// The part of Stripe's API that a reconciler uses.
struct SandboxStripe {
    let ledger: SandboxLedger

    func intent(_ request: Request, id: String) async throws -> Response {
        guard isAuthorized(request) else { return try unauthorized }
        guard let look = await ledger.ask(id), look.status != "missing" else { return try missing(id) }
        if let fault = look.fault, let answer = try await SandboxAnswer.faulty(fault) { return answer }
        return try SandboxAnswer.json(.ok, body(look))
    }

    func cancel(_ request: Request, id: String) async throws -> Response {
        guard isAuthorized(request) else { return try unauthorized }
        guard let look = await ledger.cancel(id), look.status != "missing" else { return try missing(id) }
        guard look.status == "canceled" else {
            return try SandboxAnswer.json(
                .badRequest,
                SandboxErrorBody(
                    "invalid_request_error", code: "payment_intent_unexpected_state",
                    "You cannot cancel this PaymentIntent because it has a status of \(look.status)."))
        }
        return try SandboxAnswer.json(.ok, body(look))
    }

    private func body(_ look: SandboxLedger.Look) -> SandboxIntentBody {
        SandboxIntentBody(look, createdAt: 1_767_225_600)
    }

    private func isAuthorized(_ request: Request) -> Bool {
        guard let value = request.headers[.authorization], value.hasPrefix("Bearer ") else { return false }
        return value.count > 7 && value != "Bearer sk_wrong"
    }

    private func missing(_ id: String) throws -> Response {
        try SandboxAnswer.json(
            .notFound,
            SandboxErrorBody(
                "invalid_request_error", code: "resource_missing", "No such payment_intent: '\(id)'"))
    }

    private var unauthorized: Response {
        get throws {
            try SandboxAnswer.json(
                .unauthorized, SandboxErrorBody("invalid_request_error", "Invalid API Key provided."))
        }
    }
}
