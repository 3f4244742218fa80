import Postgres
import TestSupport
import Testing

func sql(_ text: String, _ parameters: [PostgresParameter] = [], name: String = "test") -> PostgresQuery {
    PostgresQuery(Statement(name: name, text: text), parameters)
}

extension PostgresPool {
    /// The one value of the one row.
    func value<T: PostgresDecodable & Sendable>(
        _ query: PostgresQuery, deadline: Duration? = .seconds(30), as type: T.Type = T.self
    ) async throws -> T {
        try #require(try await self.query(query, deadline: deadline) { try $0.first { try $0.read(T.self) } })
    }

    var backend: Int32 { get async throws { try await value(sql("SELECT pg_backend_pid()", name: "pid")) } }
}

/// The error that `body` throws, of the expected type.
func failure<T>(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> T
) async throws -> PostgresError {
    do {
        _ = try await body()
    } catch let error as PostgresError { return error }
    Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    throw CancellationError()
}

func makePool(_ url: String, connectTimeout: Duration = .seconds(5)) -> PostgresPool {
    PostgresPool(
        configuration: PostgresConfiguration(
            url: url, applicationName: "connecting", connectTimeout: connectTimeout),
        size: 1, logger: testLogger)
}

func connectFailure(_ url: String, deadline: Duration = .seconds(10)) async throws -> PostgresError {
    let pool = makePool(url, connectTimeout: .seconds(2))
    let error = try await failure { try await pool.execute(sql("SELECT 1"), deadline: deadline) }
    await pool.close()
    return error
}
