import Hummingbird

/// What every request but a probe passes: who may ask at all, who it is, and words for what goes wrong.
///
/// In one piece: each step of the router's chain costs every request.
struct Door: RouterMiddleware {
    typealias Context = ConsoleContext

    private let browserGuard: BrowserGuard
    private let authentication: Authentication
    private let problems: ProblemResponses

    init(tokens: [AccessToken], problems: ProblemResponses) {
        browserGuard = BrowserGuard(isOpen: tokens.isEmpty)
        authentication = Authentication(tokens: tokens)
        self.problems = problems
    }

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            try browserGuard.check(request)
            var context = context
            context.caller = authentication.caller(of: request)
            return try await next(request, context)
        } catch { return try problems.response(to: request, error) }
    }
}
