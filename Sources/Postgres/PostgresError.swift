/// Why something asked of PostgreSQL was not done.
///
/// `description` is safe for logs: it holds no parameter value, no row and no credential. `debugDescription` adds the
/// server's detail and hint, which may quote rows.
public struct PostgresError: Error, Sendable {
    public enum Code: Hashable, Sendable {
        /// The connection string cannot be used.
        case configuration
        /// No connection could be made, or it broke. What had been sent may or may not have been done.
        case connection
        /// The server refused the statement; `sqlState` says why.
        case query
        /// A result did not have the type, the columns or the rows that the code expects.
        case decode
        /// A query that must not be sent: text with a NUL byte, a value out of range.
        case parameter
        /// The task was cancelled.
        case cancelled
        /// The call's deadline passed.
        case deadline
        /// The pool was closed.
        case poolClosed
    }

    /// What a caller can do about it.
    public enum Classification: Hashable, Sendable {
        /// May succeed when tried again.
        case transient
        /// The caller itself gave up: its task was cancelled, its deadline passed, its pool was closed.
        case cancelled
        /// Will fail again until a person changes something.
        case permanent
    }

    public var code: Code
    /// The server's five-character error code (PostgreSQL manual, appendix A).
    public var sqlState: String?
    public var message: String
    public var detail: String?
    public var hint: String?
    public var constraint: String?
    public var table: String?
    public var column: String?
    public var statementName: String?
    /// What a decoding closure threw, if it was not a `PostgresError`.
    public var cause: (any Error)?
    /// Which function of the server raised it: the one name that no locale translates.
    var serverFunction: String?

    public init(_ code: Code, sqlState: String? = nil, message: String) {
        self.code = code
        self.sqlState = sqlState
        self.message = message
    }

    init(_ code: Code, statement: Statement, message: String) {
        self.init(code, message: message)
        statementName = statement.name
    }

    static let poolClosed = PostgresError(.poolClosed, message: "the connection pool is closed")
}

extension PostgresError: CustomStringConvertible, CustomDebugStringConvertible {
    public var description: String {
        var text = statementName.map { "\($0): \(message)" } ?? message
        if let sqlState { text += " (SQLSTATE \(sqlState))" }
        return text
    }

    public var debugDescription: String {
        var text = "PostgresError.\(code): \(description)"
        let facts: [(String, String?)] = [
            ("detail", detail), ("hint", hint), ("constraint", constraint), ("table", table), ("column", column),
            ("cause", cause.map { String(reflecting: $0) }),
        ]
        for (label, fact) in facts {
            if let fact { text += "; \(label): \(fact)" }
        }
        return text
    }
}
