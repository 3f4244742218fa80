/// A statement with its parameters, ready to be sent.
public struct PostgresQuery: Sendable {
    public let statement: Statement
    public let parameters: [PostgresParameter]

    public init(_ statement: Statement, _ parameters: [PostgresParameter] = []) {
        self.statement = statement
        self.parameters = parameters
    }

    /// Why this query must not be sent, if so: libpq ends a C string at its first NUL, so that a statement would be cut
    /// in silence, and the protocol counts parameters in 16 bits.
    var fault: PostgresError? {
        guard !statement.text.utf8.contains(0) else {
            return PostgresError(.parameter, statement: statement, message: "the statement's text holds a NUL byte")
        }
        guard parameters.count <= Int(UInt16.max) else {
            return PostgresError(
                .parameter, statement: statement,
                message: "\(parameters.count) parameters are more than the \(UInt16.max) that PostgreSQL takes")
        }
        for (index, parameter) in parameters.enumerated() {
            if let fault = parameter.fault {
                return PostgresError(.parameter, statement: statement, message: "parameter $\(index + 1) \(fault.text)")
            }
        }
        return nil
    }
}
