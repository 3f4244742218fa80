/// Where a database is and how to talk to it.
public struct PostgresConfiguration: Sendable {
    /// A libpq URI (`postgres://…`) or `keyword=value` string; several hosts are tried in order, and unless it says
    /// otherwise (`target_session_attrs`) the one that accepts writes is taken.
    public var url: String
    /// What `pg_stat_activity` shows of each connection.
    public var applicationName: String
    /// How long each host may take to be connected to; `connect_timeout` in the URL wins.
    public var connectTimeout: Duration
    /// Off behind a PgBouncer in transaction mode before 1.21, whose server connections change under us.
    public var preparesStatements: Bool
    /// The server's own bound on one statement, set once per session: a backstop where a cancel cannot reach the
    /// server. Leave it nil behind a PgBouncer, which shares sessions.
    public var statementTimeout: Duration?
    /// The server's bound on waiting for one lock, set and left out as the other.
    public var lockTimeout: Duration?

    public init(
        url: String, applicationName: String, connectTimeout: Duration = .seconds(5), preparesStatements: Bool = true,
        statementTimeout: Duration? = nil, lockTimeout: Duration? = nil
    ) {
        self.url = url
        self.applicationName = applicationName
        self.connectTimeout = connectTimeout
        self.preparesStatements = preparesStatements
        self.statementTimeout = statementTimeout
        self.lockTimeout = lockTimeout
    }
}

extension PostgresConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Without the URL, which may hold a password.
    public var description: String { "PostgresConfiguration(applicationName: \(applicationName))" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: ["applicationName": applicationName]) }
}
