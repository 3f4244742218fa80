import Hummingbird

/// Lets a request pass that presents one of the tokens (RFC 6750), or any where none is configured.
struct BearerTokens: RouterMiddleware {
    typealias Context = BasicRequestContext

    let tokens: [AccessToken]

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard !tokens.isEmpty else { return try await next(request, context) }
        let header = request.headers[.authorization] ?? ""
        let presented = header.lowercased().hasPrefix("bearer ") ? header.dropFirst(7).utf8 : "".utf8[...]
        // Every token is compared, so that the time does not tell which one is near.
        guard tokens.filter({ $0.matches(presented) }).count > 0 else {
            var response = ProblemResponses.response(.unauthorized, detail: "a bearer token is needed")
            response.headers[.wwwAuthenticate] = "Bearer"
            return response
        }
        return try await next(request, context)
    }
}
