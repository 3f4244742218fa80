import ArgumentParser
import Glibc
import Logging
import Postgres
import PostgresStore
import Schema

/// What commands take that work on the database once and fail at once.
struct DatabaseOptions: ParsableArguments {
    @OptionGroup var common: CommonOptions

    @Option(
        help: ArgumentHelp(
            "Use the private PostgreSQL in DIR (default \(EmbeddedPostgres.defaultDirectory)), started if need be.",
            valueName: "DIR"))
    var embedded: String?

    /// Runs `body` with connections to the database, whose schema must be the one that this version knows.
    ///
    /// - Parameter makesCluster: whether `--embedded` makes a cluster where there is none.
    func withSession<T: Sendable>(
        checkingSchema: Bool = true, makesCluster: Bool = false, defaultLogLevel: Logger.Level = .warning,
        _ body: (DatabaseSession) async throws -> T
    ) async throws -> T {
        let configuration = try common.configuration()
        let logger = common.logger(defaultLevel: defaultLogLevel)
        return try await EmbeddedPostgres.withURL(
            configuration.database, embedded: embedded, makesCluster: makesCluster, logger: logger
        ) { url in
            let pool = PostgresPool(
                configuration: PostgresConfiguration(
                    // The trigger that wakes pollers is silent for sessions named reconciled/…; this one must be heard.
                    url: url, applicationName: "reconciled-cli",
                    preparesStatements: configuration.database.listenURL == nil),
                size: min(2, configuration.database.poolSize), logger: logger)
            let session = DatabaseSession(configuration: configuration, pool: pool, logger: logger)
            do {
                if checkingSchema { try await session.checkSchema() }
                let result = try await body(session)
                await pool.close()
                return result
            } catch {
                await pool.close()
                throw error
            }
        }
    }
}

/// A command's connections to the database.
struct DatabaseSession: Sendable {
    var configuration: Configuration
    var pool: PostgresPool
    var logger: Logger

    var migrator: Migrator { Migrator(pool: pool, logger: logger) }
    var watches: [any ServedWatch] { Watch.allServed.map { $0.init(configuration) } }

    /// The lanes that the configuration names.
    var lanes: [String] { watches.flatMap { $0.lanes.map(\.name) } }

    func checkSchema() async throws {
        if let problem = try await migrator.state().problem { throw SchemaError(problem: problem) }
    }

    /// The person's name in `history`: the login that sudo was called by, else the user's.
    static var actor: String {
        for name in ["SUDO_USER", "USER", "LOGNAME"] {
            guard let value = unsafe getenv(name) else { continue }
            let text = unsafe String(cString: value)
            if !text.isEmpty { return String(text.prefix(63)) }
        }
        guard let entry = unsafe getpwuid(getuid()), let name = unsafe entry.pointee.pw_name else {
            return "uid \(getuid())"
        }
        return unsafe String(cString: name)
    }
}
