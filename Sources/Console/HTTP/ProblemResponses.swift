import Hummingbird
import JSON
import Logging
import Postgres

/// Turns errors into problems. What only we can mend is logged, and said without its details.
struct ProblemResponses {
    let logger: Logger

    /// Throws what is none of ours.
    func response(to request: Request, _ error: any Error) throws -> Response {
        switch error {
        case let problem as Problem: return problem.response
        case let error as InputError:
            return Problem(
                .unprocessableContent, "\(error.field) \(error.problem)", field: error.field, allowed: error.allowed
            ).response
        case let conflict as ConflictError: return Problem(.conflict, conflict.description).response
        case let error as PostgresError: return problem(of: error, isWrite: Self.writes(request)).response
        case let error as any HTTPResponseError: return Problem(error.status, nil).response
        case let error as JSONError:
            // A row that the database gave us; what clients send is answered where it is read.
            logger.error("a row is not readable", metadata: ["error": "\(error)"])
            return Problem(.internalServerError, nil).response
        default: throw error
        }
    }

    private func problem(of error: PostgresError, isWrite: Bool) -> Problem {
        if error.isRefusedValue, isWrite {
            return Problem(
                .unprocessableContent, "the database refuses a value", field: error.column ?? error.constraint)
        }
        if error.isLocked {
            return Problem(
                .serviceUnavailable, "someone else holds the row at the moment", headers: [.retryAfter: "1"])
        }
        if error.classification == .permanent {
            // To ask again helps nobody: a right that is missing, a schema that is not ours.
            logger.error("the database refuses a request", metadata: ["error": "\(error)"])
            return Problem(.internalServerError, "the database refuses this")
        }
        if error.code != .cancelled {
            logger.warning("the database failed a request", metadata: ["error": "\(error)"])
        }
        return Problem(
            .serviceUnavailable, "the database cannot do this at the moment", headers: [.retryAfter: "1"])
    }

    /// Only what comes in to be written can have no place in a column.
    private static func writes(_ request: Request) -> Bool { request.method == .put || request.method == .post }
}

extension PostgresError {
    /// `lock_timeout` has passed.
    fileprivate var isLocked: Bool { sqlState == "55P03" }

    /// What was sent has no place in a column (class 22) or breaks a rule of the table (class 23).
    fileprivate var isRefusedValue: Bool { sqlState?.hasPrefix("22") == true || sqlState?.hasPrefix("23") == true }
}
