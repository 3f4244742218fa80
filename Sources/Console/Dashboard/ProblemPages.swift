import Hummingbird
import JSON
import Postgres

/// Turns errors into pages that say what is wrong.
struct ProblemPages: RouterMiddleware {
    typealias Context = ConsoleContext

    let dashboard: Dashboard

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let problem as Problem {
            let detail = [problem.detail, problem.allowed.map { "Allowed: \($0)" }].compactMap(\.self)
            return page(problem.status, Self.sentence(detail.joined(separator: ". ")), request, context)
        } catch let error as InputError {
            return page(.unprocessableContent, Self.sentence("\(error)"), request, context)
        } catch let conflict as ConflictError {
            return page(.conflict, Self.sentence("\(conflict)"), request, context)
        } catch is PostgresError {
            return page(
                .serviceUnavailable, "The database does not answer at the moment. Nothing was changed by this page.",
                request, context)
        } catch let error as any HTTPResponseError {
            return page(error.status, "This cannot be done.", request, context)
        }
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
        return dashboard.page(
            "message", title: heading, here: "", ["heading": heading, "text": text, "back": "/"], status: status,
            request, context)
    }

    private static func sentence(_ text: String) -> String {
        text.isEmpty ? "This cannot be done." : text.prefix(1).uppercased() + text.dropFirst() + "."
    }
}
