import Hummingbird
import JSON
import Logging
import Postgres

/// Turns errors into problems. What only we can mend is logged, and said without its details.
struct ProblemResponses: RouterMiddleware {
    typealias Context = ConsoleContext

    let logger: Logger

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let problem as Problem {
            return problem.response
        } catch let error as InputError {
            return Problem(
                .unprocessableContent, "\(error.field) \(error.problem)", field: error.field, allowed: error.allowed
            ).response
        } catch let conflict as ConflictError {
            return Problem(.conflict, conflict.description).response
        } catch let error as PostgresError {
            logger.warning("the database failed a request", metadata: ["error": "\(error)"])
            return Problem(
                .serviceUnavailable, "the database cannot do this at the moment", headers: [.retryAfter: "1"]
            ).response
        } catch let error as any HTTPResponseError {
            return Problem(error.status, nil).response
        }
    }
}
