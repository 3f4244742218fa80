/// Why a store could not do what it was asked.
public struct StoreError: Error, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// May succeed when tried again: connection lost, deadlock, server starting.
        case transient
        /// The task was cancelled or the deadline passed.
        case cancelled
        /// Will fail again: wrong schema, missing right.
        case permanent
    }

    public var code: Code
    /// SQLSTATE where the database said one.
    public var sqlState: String?
    /// Safe for logs.
    public var message: String

    public init(_ code: Code, sqlState: String? = nil, message: String) {
        self.code = code
        self.sqlState = sqlState
        self.message = message
    }

    public var description: String { sqlState.map { "\(message) (SQLSTATE \($0))" } ?? message }

    /// Any error as one of these; what a store did not classify may pass.
    init(_ error: any Error) {
        if let error = error as? StoreError {
            self = error
        } else {
            self.init(error is CancellationError ? .cancelled : .transient, message: "\(error)")
        }
    }
}
