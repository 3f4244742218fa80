import HTTPTypes
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
        let response: Response
        if let problem = Self.problem(of: request) {
            response = problem.response
        } else {
            response = try await answer(to: request, context)
        }
        metrics.count(
            request.method, path: Self.route(of: context), status: response.status, took: Moment.now - begun)
        return response
    }

    private func answer(to request: Request, _ context: Context) async throws -> Response {
        let response = try await router.respond(to: request, context: context)
        guard response.status == .notFound, Self.route(of: context) == nil else { return response }
        let methods = methods(of: request.uri.path)
        guard !methods.isEmpty else { return response }
        let allowed = methods.map(\.rawValue).joined(separator: ", ")
        return Problem(
            .methodNotAllowed, "this path does not take \(request.method.rawValue)", allowed: allowed,
            headers: [.allow: allowed]
        ).response
    }

    /// The path of the route that answered.
    private static func route(of context: Context) -> String? {
        context.endpointPath.flatMap { $0 == "NotFound" ? nil : $0 }
    }

    /// What is wrong with a request whatever it asks for.
    private static func problem(of request: Request) -> Problem? {
        // The first one is the request's authority.
        if request.headers.contains(host) {
            return Problem(.badRequest, "there are two hosts", field: "host", allowed: "one")
        }
        // RFC 9112, 3.2.
        guard request.head.authority != nil else {
            return Problem(.badRequest, "there is no host", field: "host", allowed: "one")
        }
        if hasEmptySegment(request.uri.path) {
            return Problem(.notFound, "no path has an empty segment")
        }
        return nil
    }

    private static let host = HTTPField.Name("Host")!

    /// The router passes over one, and would take another path for this one. A slash at the end is none.
    private static func hasEmptySegment(_ path: String) -> Bool {
        let slash = UInt8(ascii: "/")
        var last: UInt8?
        for byte in path.utf8 {
            if byte == slash, last == slash { return true }
            last = byte
        }
        return false
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
