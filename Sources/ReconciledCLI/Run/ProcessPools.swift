import Logging
import Postgres
import PostgresStore

/// A process's connections to its database but the one that listens.
///
/// They outlive a reload that leaves `database` as it is: so `poolSize` bounds the connections of the pollers that finish
/// under the old configuration and of those that begin under the new one together. Where it changed, each have their own.
final class ProcessPools: Sendable {
    /// The pollers'.
    let rows: PostgresPool
    /// For the HTTP interface: what it makes due is news to the pollers, so its sessions do not carry their name. The
    /// pollers' own pool where there is but one connection.
    let console: PostgresPool
    private let url: String
    private let database: DatabaseConfiguration

    /// Nobody waits longer for a page.
    private static let consoleStatementTimeout = Duration.seconds(10)
    private static let consoleLockTimeout = Duration.seconds(2)

    init(url: String, database: DatabaseConfiguration, identity: PollerIdentity, logger: Logger) {
        self.url = url
        self.database = database
        // A listenUrl says that url is a PgBouncer, which shares sessions among its clients.
        let isShared = database.listenURL != nil
        let target = PostgresConfiguration(
            url: url, applicationName: identity.applicationName, preparesStatements: !isShared,
            statementTimeout: isShared ? nil : .seconds(60))
        let size = database.poolSize
        // The rows come first: of the default four connections one is the HTTP interface's.
        let consoleSize = size == 1 ? 0 : max(1, size / 4)
        rows = PostgresPool(configuration: target, size: size - consoleSize, logger: logger)
        var consoleTarget = target
        consoleTarget.applicationName = "reconciled-console/\(identity.id)"
        consoleTarget.statementTimeout = isShared ? nil : Self.consoleStatementTimeout
        // A row that the application keeps locked delays nobody who asks about others.
        consoleTarget.lockTimeout = isShared ? nil : Self.consoleLockTimeout
        console =
            consoleSize == 0 ? rows : PostgresPool(configuration: consoleTarget, size: consoleSize, logger: logger)
    }

    /// Whether these are the connections that such a configuration has.
    func serve(_ url: String, _ database: DatabaseConfiguration) -> Bool {
        self.url == url && self.database == database
    }

    func close() async {
        if console !== rows { await console.close() }
        await rows.close()
    }
}
