import Postgres
import Schema
import TestSupport

extension TestDatabase {
    /// The number that a statement finds; zero where it finds nothing.
    func count(_ sql: String) async throws -> Int64 {
        try await pool.query(PostgresQuery(Statement(name: "", text: sql))) { rows in
            try rows.first { row in try row.read(Int64.self) } ?? 0
        }
    }

    func execute(_ sql: String) async throws {
        try await pool.execute(PostgresQuery(Statement(name: "", text: sql)))
    }
}
