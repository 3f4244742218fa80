import Hummingbird
import Timeline

/// Answers by the routes, tells another method of a path that is there apart from no path at all, and counts.
struct ConsoleResponder: HTTPResponder {
    typealias Context = ConsoleContext

    private let router: RouterResponder<ConsoleContext>
    private let routes: [(path: RouterPath, method: HTTPRequest.Method)]
    private let metrics: RequestMetrics

    init(_ router: Router<ConsoleContext>, registry: MetricsRegistry) {
        routes = router.routes.map { ($0.path, $0.method) }
        self.router = router.buildResponder()
        metrics = RequestMetrics(registry: registry)
    }

    func respond(to request: Request, context: Context) async throws -> Response {
        let begun = Moment.now
        var response = try await router.respond(to: request, context: context)
        let isRouted = context.endpointPath.map { $0 != "NotFound" } ?? false
        if !isRouted, response.status == .notFound {
            let methods = methods(of: request.uri.path)
            if !methods.isEmpty {
                let allowed = methods.map(\.rawValue).joined(separator: ", ")
                response =
                    Problem(
                        .methodNotAllowed, "this path does not take \(request.method.rawValue)", allowed: allowed,
                        headers: [.allow: allowed]
                    ).response
            }
        }
        metrics.count(
            request.method, path: isRouted ? context.endpointPath ?? "" : "", status: response.status,
            took: Moment.now - begun)
        return response
    }

    /// What a path that is there takes.
    private func methods(of path: String) -> [HTTPRequest.Method] {
        let segments = path.split(separator: "/")
        let methods = routes.filter { route in
            route.path.count == segments.count && zip(route.path, segments).allSatisfy { $0 ~= $1 }
        }.map(\.method)
        let all = methods.contains(.get) ? methods + [.head] : methods
        return Set(all).sorted { $0.rawValue < $1.rawValue }
    }
}

/// How many requests of which kind were answered, and in what time. Labels are bounded: a path is a route's, not a client's.
struct RequestMetrics: Sendable {
    private static let methods: Set<HTTPRequest.Method> = [.get, .head, .put, .post, .delete]

    let registry: MetricsRegistry

    func count(_ method: HTTPRequest.Method, path: String, status: HTTPResponse.Status, took: Duration) {
        let path = path.isEmpty ? "none" : path
        registry.counter(
            "reconciled_http_requests_total", help: "Requests of the HTTP interface that were answered.",
            labels: [
                ("method", Self.methods.contains(method) ? method.rawValue : "other"), ("path", path),
                ("status", "\(status.code / 100)xx"),
            ]
        ).increment()
        registry.histogram(
            "reconciled_http_request_seconds", help: "Time until a request was answered, without sending the body.",
            bounds: EngineMetrics.secondsBounds, labels: [("path", path)]
        ).observe(took.inSeconds)
    }
}
