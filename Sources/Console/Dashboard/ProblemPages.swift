import Hummingbird
import Postgres

/// Turns errors into pages that say what is wrong, and whether something was changed.
struct ProblemPages: RouterMiddleware {
    typealias Context = ConsoleContext

    let dashboard: Dashboard

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            if let refusal = Refusal(error) { return page(refusal.status, refusal.text, request, context) }
            switch error {
            case let error as PostgresError:
                let (status, text) = Self.told(error, isAction: request.method == .post)
                return page(status, text, request, context)
            case let error as any HTTPResponseError:
                return page(error.status, "This cannot be done.", request, context)
            default: throw error
            }
        }
    }

    private static func told(_ error: PostgresError, isAction: Bool) -> (HTTPResponse.Status, String) {
        if error.code == .query, error.classification == .permanent {
            return (
                .internalServerError,
                "The database refuses this, and nothing was changed. Reconciled doctor may know why."
            )
        }
        guard isAction else {
            return (.serviceUnavailable, "The database does not answer at the moment. Try again soon.")
        }
        return isOutcomeKnown(error)
            ? (.serviceUnavailable, "The database could not do this at the moment, and nothing was changed. Try again.")
            : (
                .serviceUnavailable,
                "The database did not answer: this may have been done, or not. Look before you do it again."
            )
    }

    /// A server that refuses a statement undoes it. One that goes away (57P0x, class 08, 40003), or a connection that breaks,
    /// may have committed before it could say so.
    private static func isOutcomeKnown(_ error: PostgresError) -> Bool {
        guard error.code == .query, let state = error.sqlState else { return false }
        return !["57P", "08", "40003"].contains { state.hasPrefix($0) }
    }

    private func page(
        _ status: HTTPResponse.Status, _ text: String, _ request: Request, _ context: Context
    ) -> Response {
        let heading =
            switch status.code {
            case 404: "Not found"
            case 403: "Not allowed"
            case 503: "The database is away"
            default: "That did not work"
            }
        let model: Model = ["heading": heading, "text": text, "back": back(request)]
        return dashboard.page("message", title: heading, here: "", model, status: status, request, context)
    }

    /// What an address is about: a row's page for what is done to it, a list for its rows.
    private func back(_ request: Request) -> String {
        let segments = request.uri.path.split(separator: "/")
        guard let first = segments.first, dashboard.watches.contains(where: { $0.name == first }) else { return "/" }
        return "/" + segments[..<max(1, segments.count - 1)].joined(separator: "/")
    }
}
