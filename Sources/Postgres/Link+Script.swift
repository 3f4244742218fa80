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
        let failure: PostgresError?
        do {
            failure = try drain(statement, call)
        } catch {
            guard error.code == .cancelled || error.code == .deadline else {
                isBroken = true
                throw error
            }
            failure = cancelScript(statement, because: error)
        }
        if let failure { throw failure }
    }

    /// Has the server cancel the script and gives the error it ended with; nil if the script succeeded first.
    private func cancelScript(_ statement: Statement, because interruption: PostgresError) -> PostgresError? {
        // As for queries: a cancel that was not acknowledged could still hit the next statement.
        var isAcknowledged = false
        defer { if !isAcknowledged { isBroken = true } }
        guard let request = sendCancel() else { return interruption }
        let grace = Call(deadline: Link.cancelGrace)
        do {
            guard let failure = try drain(statement, grace) else { return nil }
            guard failure.isServerCancellation else { return failure }
            try settle([request], grace)
            isAcknowledged = true
        } catch {}
        return interruption
    }

    private func drain(_ statement: Statement, _ call: Call) throws(PostgresError) -> PostgresError? {
        var failure: PostgresError?
        while let result = try nextResult(call) {
            if result.isCopy { isBroken = true }
            if failure == nil, let error = result.error(statement: statement) {
                observe(error)
                failure = error
            }
            if !isUsable { throw failure ?? lostError }
        }
        return failure
    }
}
