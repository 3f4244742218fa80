import CLibpq

/// An open transaction, inside `PostgresPool.withTransaction`.
public struct PostgresTransaction: ~Copyable {
    private let link: Link
    private let call: Call

    /// Runs one statement. After an error the transaction can only be rolled back.
    public func query<T>(
        _ query: PostgresQuery, _ decode: (borrowing PostgresRows) throws -> T
    ) throws(PostgresError) -> T {
        try link.run([query], call)[0].decoded(query.statement, decode).get()
    }

    /// Runs one statement and gives how many rows it touched.
    @discardableResult
    public func execute(_ query: PostgresQuery) throws(PostgresError) -> Int {
        try self.query(query) { $0.affectedCount }
    }

    /// Runs statements without parameters, as a migration file holds them, by the simple protocol.
    public func execute(script: String, name: String = "script") throws(PostgresError) {
        try link.run(script: script, name: name, call)
    }

    /// The inner result is the body's own.
    static func run<T>(
        on link: Link, _ call: Call, _ body: (borrowing PostgresTransaction) throws -> T
    ) throws(PostgresError) -> Result<T, any Error> {
        try link.run(script: "BEGIN ISOLATION LEVEL READ COMMITTED", name: "begin", call)
        let value: T
        do {
            value = try body(PostgresTransaction(link: link, call: call))
            try call.check()
        } catch {
            rollBack(link)
            return .failure(error)
        }
        // COMMIT of a transaction that failed rolls back and reports success: the body swallowed an error.
        guard unsafe PQtransactionStatus(link.connection) == PQTRANS_INTRANS else {
            rollBack(link)
            throw PostgresError(.query, sqlState: "25P02", message: "the transaction failed and was rolled back")
        }
        do {
            try link.run(script: "COMMIT", name: "commit", call)
        } catch var error {
            if !link.isUsable { error.message = "whether the transaction was committed is not known: \(error.message)" }
            rollBack(link)
            throw error
        }
        return .success(value)
    }

    /// Within a grace of its own, for the call's deadline may have passed. What fails to roll back is not used again,
    /// and the server rolls back when its connection ends.
    private static func rollBack(_ link: Link) {
        guard link.isUsable, !link.isIdle else { return }
        do {
            try link.run(script: "ROLLBACK", name: "rollback", Call(deadline: Link.cancelGrace))
        } catch { link.isBroken = true }
    }
}
