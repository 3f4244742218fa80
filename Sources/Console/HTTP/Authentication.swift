import Crypto
import Hummingbird

/// Finds out who asks: by the bearer token that is presented (RFC 6750); where none is configured, everyone is local.
///
/// It refuses nobody; `RequireRole` does.
struct Authentication {
    let tokens: [AccessToken]

    func caller(of request: Request) -> Caller {
        guard !tokens.isEmpty else { return .local }
        guard let header = request.headers[.authorization], header.lowercased().hasPrefix("bearer ") else {
            return .nobody
        }
        let presented = SHA256.hash(data: Array(header.utf8.dropFirst(7)))
        // Every token is compared, so that the time does not tell which one is near.
        let matching = tokens.filter { $0.matches(presented) }
        return matching.first.map { Caller(name: $0.name, role: $0.role) } ?? .nobody
    }
}

/// Takes the cookie of who signed in to the dashboard for a token, where nothing is changed: a page may link there.
struct SignedIn: RouterMiddleware {
    typealias Context = ConsoleContext

    let session: DashboardSession

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        var context = context
        if context.caller.role == nil, let visitor = session.visitor(of: request) { context.caller = visitor.caller }
        return try await next(request, context)
    }
}

/// Lets callers pass who have at least a role: 401 for nobody, 403 for too little.
public struct RequireRole: RouterMiddleware {
    public typealias Context = ConsoleContext

    private let role: AccessToken.Role

    public init(_ role: AccessToken.Role) {
        self.role = role
    }

    public func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        try check(context.caller)
        return try await next(request, context)
    }

    func check(_ caller: Caller) throws {
        guard let granted = caller.role else {
            throw Problem(.unauthorized, "a bearer token is needed", headers: [.wwwAuthenticate: "Bearer"])
        }
        guard granted >= role else {
            throw Problem(
                .forbidden,
                "the token \"\(caller.name)\" is a \(granted.rawValue)'s; this takes \(role.rawValue)")
        }
    }
}
