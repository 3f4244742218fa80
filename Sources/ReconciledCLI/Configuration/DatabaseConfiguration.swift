import Settings

/// `database`: where the rows are.
struct DatabaseConfiguration: Hashable, Sendable {
    /// A libpq URI; nil where a private server is started instead.
    var url: Secret?
    /// Where to LISTEN when `url` is a PgBouncer; nil: at `url`.
    var listenURL: Secret?
    /// Bounds all of a poller's connections but the one that listens.
    var poolSize: Int

    static let urlAllowed = "a libpq URI such as postgres://user@host/database, several hosts allowed"

    init(reading section: SettingsSection?) throws {
        guard var section else {
            poolSize = 4
            return
        }
        url = try Self.url("url", in: &section)
        listenURL = try Self.url("listenUrl", in: &section)
        poolSize = try section.integer("poolSize", in: 1...100) ?? 4
        try section.finish()
    }

    /// What is wrong when a command needs a database and none is named.
    static let missing = SettingsError(
        key: "database.url", line: nil, problem: "the key is required",
        allowed: "\(urlAllowed), in reconciled.yaml or as RECONCILED_DATABASE_URL")

    private static func url(_ key: String, in section: inout SettingsSection) throws -> Secret? {
        guard let url = try section.secret(key) else { return nil }
        // The value may hold a password, so it is never shown.
        guard ["postgres://", "postgresql://"].contains(where: { url.value.hasPrefix($0) }),
            !url.value.contains(where: { $0.isWhitespace })
        else { throw section.error(key, problem: "the value is not a database's address", allowed: urlAllowed) }
        return url
    }
}
