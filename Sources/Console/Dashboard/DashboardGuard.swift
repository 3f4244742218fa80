import Foundation
import Hummingbird

/// Stands before the dashboard's pages: knows who signed in, sends others to do so, and tells browsers what a page may do.
struct DashboardGuard: RouterMiddleware {
    typealias Context = ConsoleContext

    let session: DashboardSession
    /// What forms bring along where nobody signs in.
    let localFormSecret: String

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        var context = context
        if session.tokens.isEmpty {
            context.formSecret = localFormSecret
        } else if let visitor = session.visitor(of: request) {
            context.caller = visitor.caller
            context.formSecret = visitor.formSecret
        } else {
            // A bearer token opens the API; pages are for browsers, whose forms need a session's secret.
            return Self.secured(.redirect(to: Self.signInPath(back: request), type: .normal))
        }
        return Self.secured(try await next(request, context))
    }

    private static func signInPath(back request: Request) -> String {
        guard request.method == .get, request.uri.path != "/" else { return "/sign-in" }
        let back = request.uri.string.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        return "/sign-in?back=\(back)"
    }

    /// Nothing from elsewhere, nothing inline, no frame around it; and nothing of it is kept.
    static func secured(_ response: Response) -> Response {
        var response = response
        response.headers[.contentSecurityPolicy] = """
            default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
            form-action 'self'; frame-ancestors 'none'; base-uri 'none'
            """
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[.init("Referrer-Policy")!] = "same-origin"
        response.headers[.init("Cross-Origin-Opener-Policy")!] = "same-origin"
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        return response
    }
}
