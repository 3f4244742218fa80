import Logging
import Postgres
import Schema

/// Brings a test's database to the schema of this version.
func migrate(_ pool: PostgresPool, logger: Logger) async throws {
    try await Migrator(pool: pool, logger: logger).migrate()
}
