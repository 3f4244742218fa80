import Postgres

extension Statement {
    /// The statement of `sql/<name>.sql`. Traps when there is no such file: a test prepares every one.
    public static func sql(_ name: String) -> Statement {
        guard let text = texts[name] else { preconditionFailure("no file sql/\(name).sql") }
        return Statement(name: name, text: text)
    }

    private static let texts = Dictionary(uniqueKeysWithValues: EmbeddedSQL.sql.map { ($0.name, $0.text) })
}
