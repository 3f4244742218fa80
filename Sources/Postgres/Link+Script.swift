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
            sendCancel()
            // As for queries: a cancel that was not acknowledged could still hit the next statement.
            let last = try? drain(statement, Call(deadline: Link.cancelGrace))
            if last?.isServerCancellation != true { isBroken = true }
            throw error
        }
        if let failure { throw failure }
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
