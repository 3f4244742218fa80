import Hummingbird

/// Gives a browser that opens an address where nothing is a page with the way to the others. Programs get a problem.
struct MissingPages: RouterMiddleware {
    typealias Context = ConsoleContext

    let dashboard: Dashboard

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as any HTTPResponseError {
            // The router's own word for no route.
            guard error.status == .notFound, context.endpointPath == "NotFound", Self.isForPeople(request) else {
                throw error
            }
            return try await dashboard.missing(request, context)
        }
    }

    /// Browsers ask for HTML when a person opens an address. Under `/v1` is the API alone.
    private static func isForPeople(_ request: Request) -> Bool {
        request.method == .get && request.headers[.accept]?.lowercased().contains("text/html") == true
            && request.uri.path.split(separator: "/").first != "v1"
    }
}
