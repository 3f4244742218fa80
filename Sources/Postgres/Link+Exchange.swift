import CLibpq
import DequeModule

extension Link {
    /// Runs each query in an implicit transaction of its own, all in one round trip, and says how each one ended.
    ///
    /// Queries after a failed one still run. If the call is interrupted, the running statement is cancelled on the
    /// server.
    func run(_ queries: [PostgresQuery], _ call: Call) -> [Result<ResultHandle, PostgresError>] {
        var outcomes = exchange(queries, call)
        for index in outcomes.indices {
            // Such an error comes before anything was executed, and outside a transaction it has no other effect: the
            // statement can be prepared afresh. Inside one, the transaction is lost and its caller has to begin again.
            guard case .failure(let error) = outcomes[index], error.isStaleStatement else { continue }
            prepared[PreparedKey(queries[index])] = nil
            guard isUsable, isIdle else { continue }
            outcomes[index] = exchange([queries[index]], call)[0]
        }
        return outcomes
    }

    private func exchange(_ queries: [PostgresQuery], _ call: Call) -> [Result<ResultHandle, PostgresError>] {
        var outcomes: [Result<ResultHandle, PostgresError>?] = queries.map { $0.fault.map { .failure($0) } }
        var failure: PostgresError?
        do {
            try call.check()
            var exchange = Exchange(link: self, queries: queries, outcomes: outcomes)
            failure = exchange.run(call)
            outcomes = exchange.outcomes
        } catch { failure = error }
        return zip(queries, outcomes).map { query, outcome in
            if let outcome { return outcome }
            var error = failure ?? lostError
            error.statementName = query.statement.name
            return .failure(error)
        }
    }

    /// The next result of what was sent, nil at the end of a command's results.
    func nextResult(_ call: Call) throws(PostgresError) -> ResultHandle? {
        while true {
            let unsent = unsafe PQflush(connection)
            if unsafe PQisBusy(connection) == 0 || unsent < 0 { break }
            guard let ready = try wait(for: unsent == 1 ? [.readable, .writable] : .readable, call) else { continue }
            // When the connection is gone, PQgetResult says so without waiting.
            if ready.contains(.readable), unsafe PQconsumeInput(connection) == 0 { break }
        }
        return unsafe PQgetResult(connection).map { unsafe ResultHandle(owning: $0) }
    }

    /// Asks the server to cancel what this connection runs; nil if it cannot be asked.
    func sendCancel() -> CancelRequest? { unsafe CancelRequest(connection) }

    /// Waits until none of `requests` can hit a later statement any more.
    func settle(_ requests: [CancelRequest], _ call: Call) throws(PostgresError) {
        for request in requests {
            _ = try Link.wait(request.done.descriptor, for: .readable, wakeup, call, until: .distantFuture)
        }
    }
}

extension Link.PreparedKey {
    init(_ query: PostgresQuery) {
        self.init(statement: query.statement, types: query.parameters.map(\.type))
    }
}

extension PostgresError {
    /// The server lost our prepared statement, or a schema change made its plan unusable.
    var isStaleStatement: Bool {
        switch sqlState {
        case "26000", "42P05": true
        case "0A000": serverFunction == "RevalidateCachedQuery"
        default: false
        }
    }

    var isServerCancellation: Bool { sqlState == "57014" }
}
