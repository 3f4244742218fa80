import Glibc
import Logging
import Postgres

/// A database of a test's own, beside other tests' databases on the server that `./scripts/test` starts.
public struct TestDatabase: Sendable {
    public let name: String
    /// A libpq URI of this database, as a superuser.
    public let url: String
    public let pool: PostgresPool

    /// A further pool on this database, to be closed by the caller.
    public func makePool(
        size: Int, applicationName: String = "test", preparesStatements: Bool = true
    ) -> PostgresPool {
        PostgresPool(
            configuration: PostgresConfiguration(
                url: url, applicationName: applicationName, preparesStatements: preparesStatements),
            size: size, logger: testLogger)
    }
}

/// Why a test cannot have a database.
public struct TestDatabaseError: Error, CustomStringConvertible {
    public let description: String

    public init(description: String) {
        self.description = description
    }
}

/// Runs `body` with a new database, migrated unless told otherwise, and drops it afterwards.
public func withTestDatabase<T>(
    migrated: Bool = true, poolSize: Int = 4, _ body: (TestDatabase) async throws -> T
) async throws -> T {
    let serverURL = try testServerURL()
    let name = "test_\(getpid())_\(UInt64.random(in: 0 ..< .max))"
    let server = PostgresPool(
        configuration: PostgresConfiguration(url: serverURL, applicationName: "test"), size: 1,
        logger: testLogger)
    do {
        try await server.execute(
            PostgresQuery(Statement(name: "create_database", text: "CREATE DATABASE \(name) STRATEGY file_copy")))
    } catch {
        await server.close()
        throw error
    }
    let url = databaseURL(serverURL, name: name)
    let pool = PostgresPool(
        configuration: PostgresConfiguration(url: url, applicationName: "test"), size: poolSize,
        logger: testLogger)
    let outcome: Result<T, any Error>
    do {
        outcome = .success(
            try await withPool(pool) { pool in
                if migrated { try await migrate(pool, logger: testLogger) }
                return try await body(TestDatabase(name: name, url: url, pool: pool))
            })
    } catch { outcome = .failure(error) }
    do {
        try await server.execute(
            PostgresQuery(Statement(name: "drop_database", text: "DROP DATABASE \(name) WITH (FORCE)")))
    } catch {
        // The test's own failure says more; and a server that the test stopped has nothing to drop.
        testLogger.debug("test database was not dropped", metadata: ["error": "\(error)"])
    }
    await server.close()
    return try outcome.get()
}

/// Runs `body` with a pool, and closes that afterwards.
@discardableResult
public func withPool<T>(_ pool: PostgresPool, _ body: (PostgresPool) async throws -> T) async throws -> T {
    let outcome: Result<T, any Error>
    do { outcome = .success(try await body(pool)) } catch { outcome = .failure(error) }
    await pool.close()
    return try outcome.get()
}

/// The server that tests use.
public func testServerURL() throws -> String {
    guard let value = unsafe getenv("RECONCILED_TEST_DATABASE_URL") else {
        throw TestDatabaseError(
            description:
                "RECONCILED_TEST_DATABASE_URL is not set: run ./scripts/test, which starts a PostgreSQL for the tests")
    }
    return unsafe String(cString: value)
}

/// `serverURL`, which ends in `/postgres`, with another database.
private func databaseURL(_ serverURL: String, name: String) -> String {
    "\(serverURL[..<(serverURL.lastIndex(of: "/") ?? serverURL.endIndex)])/\(name)"
}

/// Faults are provoked on purpose: only what no test expects is worth a line.
public let testLogger: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
}()
