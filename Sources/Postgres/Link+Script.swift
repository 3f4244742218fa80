import CLibpq

extension Link {
    /// Runs statements by the simple protocol, without parameters, and drops their rows. The first error ends them.
    func run(script: String, name: String, _ call: Call) throws(PostgresError) {
        let statement = Statement(name: name, text: script)
        if let fault = PostgresQuery(statement).fault { throw fault }
        try call.check()
        guard unsafe PQsendQuery(connection, script) == 1 else {
            isBroken = true
            throw lostError
        }
        var failure: PostgresError?
        do {
            failure = try drain(statement, call)
        } catch {
            guard error.code == .cancelled || error.code == .deadline else {
                isBroken = true
                throw error
            }
            // As for queries: a cancel that was not acknowledged could still hit the next statement.
            if !cancelScript(statement) { isBroken = true }
            throw error
        }
        if let failure { throw failure }
    }

    /// Whether the server cancelled the script and the connection is free.
    private func cancelScript(_ statement: Statement) -> Bool {
        guard let request = sendCancel() else { return false }
        let grace = Call(deadline: Link.cancelGrace)
        do {
            let last = try drain(statement, grace)
            try settle([request], grace)
            return last?.isServerCancellation == true
        } catch { return false }
    }

    private func drain(_ statement: Statement, _ call: Call) throws(PostgresError) -> PostgresError? {
        var failure: PostgresError?
        while let result = try nextResult(call) {
            if result.isCopy { isBroken = true }
            failure = failure ?? result.error(statement: statement)
            if !isUsable { throw failure ?? lostError }
        }
        return failure
    }
}
