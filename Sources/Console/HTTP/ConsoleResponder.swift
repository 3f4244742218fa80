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
        let path = context.endpointPath.flatMap { $0 == "NotFound" ? nil : $0 }
        if path == nil, response.status == .notFound {
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
        metrics.count(request.method, path: path, status: response.status, took: Moment.now - begun)
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
