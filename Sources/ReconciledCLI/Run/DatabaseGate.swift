import Console
import Logging
import Postgres
import Schema

/// Waits until the database answers and its schema is the one that this version knows.
struct DatabaseGate: Sendable {
    static let delayMin = Duration.seconds(1)
    static let delayMax = Duration.seconds(30)

    let migrator: Migrator
    let migrates: Bool
    /// What this process tells the database before it works on it.
    let announce: @Sendable () async throws -> Void
    let readiness: Readiness
    let logger: Logger

    /// Throws `SchemaError` when waiting would not help, and when cancelled.
    func pass() async throws {
        var delay = Self.delayMin
        while true {
            do {
                if migrates { try await migrator.migrate() }
                if let problem = try await migrator.state().problem {
                    readiness.schemaRejected(problem)
                    throw SchemaError(problem: problem)
                }
                try await announce()
                readiness.databaseAnswered()
                readiness.schemaVerified()
                return
            } catch let error as PostgresError where Self.mayHeal(error) {
                try Task.checkCancellation()
                readiness.databaseFailed(error.description)
                logger.warning(
                    "the database cannot be reached; trying again",
                    metadata: ["error": "\(error)", "in": "\(delay.text)"])
            }
            try await Task.sleep(for: delay)
            delay = min(delay * 2, Self.delayMax)
        }
    }

    /// A refused password or a database that is not there yet counts too: someone may be setting it up.
    static func mayHeal(_ error: PostgresError) -> Bool {
        error.code == .connection || error.code == .deadline || error.classification == .transient
    }
}
