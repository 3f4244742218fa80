import JSON
import Outgoing
import Settings
import Timeline

/// Stripe's PaymentIntents, asked by `gateway_ref`.
///
/// Sources: docs.stripe.com/api/payment_intents/object, /api/errors, /error-low-level, /api/idempotent_requests.
public struct StripeGateway: Gateway {
    public struct Settings: Hashable, Sendable {
        public static let defaultBaseURL = "https://api.stripe.com"

        public var baseURL: EndpointURL
        public var secretKey: Secret

        public init(baseURL: EndpointURL, secretKey: Secret) {
            self.baseURL = baseURL
            self.secretKey = secretKey
        }
    }

    /// The version whose objects `StripeIntent` reads; an account's own default may change under us.
    static let version = "2024-06-20"

    private let settings: Settings
    private let http: OutgoingClient

    public init(_ settings: Settings, http: OutgoingClient) {
        self.settings = settings
        self.http = http
    }

    public func ask(_ order: Order, deadline: Moment) async -> Answer {
        guard let path = path(order) else {
            return .unknown(
                AnswerFailure(
                    .unaskable,
                    problem: "The order cannot be asked about: it has no gateway_ref, the id of its PaymentIntent."))
        }
        let request = request(path + "?expand%5B%5D=latest_charge")
        switch await http.send(request, deadline: deadline) {
        case .failure(let failure): return .unknown(AnswerFailure(failure))
        case .success(let response): return answer(response)
        }
    }

    public func close(_ order: Order, idempotencyKey: String, deadline: Moment) async -> CloseOutcome {
        guard let path = path(order) else { return .answered }
        var request = request(path + "/cancel")
        request.method = "POST"
        request.headers.append((name: "idempotency-key", value: idempotencyKey))
        switch await http.send(request, deadline: deadline) {
        case .failure(let failure): return .unknown(AnswerFailure(failure))
        case .success(let response):
            switch response.status {
            case 401, 403: return .misconfigured("the gateway refuses to close an order (HTTP \(response.status))")
            case 409, 429: return .unknown(response.failure(.rejected, "The gateway did not close the order yet"))
            // A 5xx is replayed under the same key for a day: the next attempt needs a new one.
            default: return .answered
            }
        }
    }

    private func path(_ order: Order) -> String? {
        guard let reference = order.gatewayRef, PercentEncoding.isSegment(reference) else { return nil }
        return "/v1/payment_intents/" + PercentEncoding.segment(reference)
    }

    private func request(_ path: String) -> OutgoingRequest {
        OutgoingRequest(
            url: settings.baseURL.appending(path),
            headers: [
                (name: "authorization", value: "Bearer " + settings.secretKey.value),
                (name: "accept", value: "application/json"), (name: "stripe-version", value: Self.version),
            ])
    }

    func answer(_ response: OutgoingResponse) -> Answer {
        if (200...299).contains(response.status) {
            return StripeIntent.answer(response.body, authenticated: settings.baseURL.isAuthenticated)
        }
        // Stripe knows better than the status whether the same request would fare better later.
        if (400...499).contains(response.status), response.status != 429,
            response.header("stripe-should-retry") == "true"
        {
            return .unknown(response.failure(.rejected, "The gateway asks us to try again"))
        }
        guard response.status == 404 else { return response.failureAnswer }
        let error = (try? JSONValue(parsing: response.body))?["error"]
        // Another 404 comes from a wrong address, not from Stripe's books.
        guard error?["code"]?.string == "resource_missing" else { return .notFoundUnauthenticated }
        // “No such payment_intent: 'pi_…'; a similar object exists in live mode, but a test mode key was used …”
        if error?["message"]?.string?.contains("a similar object exists in") == true {
            return .configError(
                "secretKey and the order are of different modes, test and live", status: response.status)
        }
        return Answer(.notFound, authenticated: settings.baseURL.isAuthenticated, gatewayState: "resource_missing")
    }
}
