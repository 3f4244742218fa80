import DequeModule
import Logging
import Synchronization
import Timeline

/// At most `size` connections to a database, made when they are needed and replaced when they break.
///
/// Callers wait in order of arrival, within their deadline. The connection used last is used first, so that its
/// prepared statements stay warm. A query whose connection turns out dead before anything was sent goes out on a fresh
/// one; a connection lost later is a transient error, and whether to repeat is for the caller, who knows if that is
/// safe. Cancelling the task, or the deadline, cancels the statement on the server and frees the connection.
public final class PostgresPool: Sendable {
    /// What a call waits by default, for a connection and for the server together.
    public static let defaultDeadline = Duration.seconds(30)

    private typealias Waiter = OneShot<Result<Connection, PostgresError>>

    private struct State {
        /// Used last at the end.
        var idle: Deque<Connection> = []
        var connectionCount = 0
        var waiters: Deque<Waiter> = []
        var isClosed = false
        var closers: [OneShot<Void>] = []
    }

    public let size: Int
    private let configuration: PostgresConfiguration
    private let logger: Logger
    private let state = Mutex(State())

    /// Connects to nothing yet.
    public init(configuration: PostgresConfiguration, size: Int, logger: Logger) {
        precondition(size > 0, "a pool holds at least one connection")
        self.configuration = configuration
        self.size = size
        self.logger = logger
    }

    /// Runs one statement in a transaction of its own and gives what `decode` makes of its rows.
    ///
    /// `decode` runs on the connection's thread and must not block.
    public func query<T: Sendable>(
        _ query: PostgresQuery, deadline: Duration? = PostgresPool.defaultDeadline,
        _ decode: @Sendable (borrowing PostgresRows) throws -> T
    ) async throws(PostgresError) -> T {
        try await perform(deadline: deadline) { link, call throws(PostgresError) in
            try link.run([query], call)[0].decoded(query.statement, decode).get()
        }.get()
    }

    /// Runs one statement in a transaction of its own and gives how many rows it touched.
    @discardableResult
    public func execute(
        _ query: PostgresQuery, deadline: Duration? = PostgresPool.defaultDeadline
    ) async throws(PostgresError) -> Int {
        try await self.query(query, deadline: deadline) { $0.affectedCount }
    }

    /// Runs two statements in one round trip, each in a transaction of its own: one may fail and the other succeed.
    public func pipeline<A: Sendable, B: Sendable>(
        _ first: PostgresQuery, _ decodeFirst: @Sendable (borrowing PostgresRows) throws -> A,
        _ second: PostgresQuery, _ decodeSecond: @Sendable (borrowing PostgresRows) throws -> B,
        deadline: Duration? = PostgresPool.defaultDeadline
    ) async -> (Result<A, PostgresError>, Result<B, PostgresError>) {
        let outcome = await perform(deadline: deadline) { link, call in
            let outcomes = link.run([first, second], call)
            return (
                outcomes[0].decoded(first.statement, decodeFirst), outcomes[1].decoded(second.statement, decodeSecond)
            )
        }
        switch outcome {
        case .success(let results): return results
        case .failure(let error): return (.failure(error), .failure(error))
        }
    }

    /// Runs `body` in one transaction: committed when it returns, rolled back when it throws.
    ///
    /// `body` is synchronous and runs on the connection's thread, so that nothing but SQL can sit inside a transaction.
    /// It may be running when the task is cancelled: its next statement throws. When the server did not answer the
    /// commit, the error says that the outcome is not known.
    public func withTransaction<T: Sendable>(
        deadline: Duration? = PostgresPool.defaultDeadline,
        _ body: @Sendable (borrowing PostgresTransaction) throws -> T
    ) async throws -> T {
        try await perform(deadline: deadline) { link, call throws(PostgresError) in
            try PostgresTransaction.run(on: link, call, body)
        }.get().get()
    }

    /// Refuses new calls, waits for those in progress, and ends every connection and its thread.
    public func close() async {
        let (waiters, idle, done) = state.withLock { state in
            state.isClosed = true
            let done = OneShot<Void>()
            let waiters = state.waiters
            let idle = state.idle
            state.waiters = []
            state.idle = []
            state.closers.append(done)
            return (waiters, idle, done)
        }
        for waiter in waiters { _ = waiter.give(.failure(.poolClosed)) }
        for connection in idle { await end(connection) }
        finishClosing()
        await done.value()
    }

    private func end(_ connection: Connection) async {
        await connection.disconnect()
        state.withLock { $0.connectionCount -= 1 }
    }

    private func finishClosing() {
        let closers = state.withLock { state -> [OneShot<Void>] in
            guard state.isClosed, state.connectionCount == 0 else { return [] }
            defer { state.closers = [] }
            return state.closers
        }
        for closer in closers { _ = closer.give(()) }
    }

    private func perform<T: Sendable>(
        deadline: Duration?, _ body: @Sendable (Link, Call) throws(PostgresError) -> T
    ) async -> Result<T, PostgresError> {
        let call = Call(deadline: deadline)
        return await withTaskCancellationHandler {
            switch await lease(call) {
            case .failure(let error): return .failure(error)
            case .success(let connection):
                let (outcome, isConnected) = await connection.perform(call) { link throws(PostgresError) in
                    try body(link, call)
                }
                await giveBack(connection, isConnected: isConnected)
                return outcome
            }
        } onCancel: {
            call.cancel()
        }
    }

    /// For tests of the queue.
    var waiterCount: Int { state.withLock { $0.waiters.count } }
    var idleCount: Int { state.withLock { $0.idle.count } }

    private enum Lease {
        case now(Result<Connection, PostgresError>)
        case later(Waiter)
    }

    private func lease(_ call: Call) async -> Result<Connection, PostgresError> {
        let lease = state.withLock { state -> Lease in
            if state.isClosed { return .now(.failure(.poolClosed)) }
            if let connection = state.idle.popLast() { return .now(.success(connection)) }
            if state.connectionCount < size {
                do throws(PostgresError) {
                    let connection = try Connection(configuration, logger: logger)
                    state.connectionCount += 1
                    return .now(.success(connection))
                } catch { return .now(.failure(error)) }
            }
            let waiter = Waiter()
            state.waiters.append(waiter)
            return .later(waiter)
        }
        switch lease {
        case .now(let outcome): return outcome
        case .later(let waiter): return await wait(waiter, call)
        }
    }

    private func wait(_ waiter: Waiter, _ call: Call) async -> Result<Connection, PostgresError> {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                let patience = min(call.deadline - .now, .seconds(365 * 86_400))
                let refusal: PostgresError
                do {
                    try await Task.sleep(for: patience)
                    refusal = PostgresError(.deadline, message: "no connection was free before the deadline")
                } catch { refusal = PostgresError(.cancelled, message: "the task was cancelled") }
                // Too late if a connection was handed over at this very moment: it is then used or given back as usual.
                if waiter.give(.failure(refusal)) { self.state.withLock { $0.waiters.removeAll { $0 === waiter } } }
            }
            let outcome = await waiter.value()
            group.cancelAll()
            return outcome
        }
    }

    private func giveBack(_ connection: Connection, isConnected: Bool) async {
        let isClosed = state.withLock { state -> Bool in
            if state.isClosed { return true }
            while let waiter = state.waiters.popFirst() {
                if waiter.give(.success(connection)) { return false }
            }
            if isConnected { state.idle.append(connection) } else { state.idle.prepend(connection) }
            return false
        }
        guard isClosed else { return }
        await end(connection)
        finishClosing()
    }
}

extension Result<ResultHandle, PostgresError> {
    func decoded<T>(
        _ statement: Statement, _ decode: (borrowing PostgresRows) throws -> T
    ) -> Result<T, PostgresError> {
        flatMap { result in
            do {
                return .success(try decode(PostgresRows(result)))
            } catch var error as PostgresError {
                error.statementName = error.statementName ?? statement.name
                return .failure(error)
            } catch {
                var failure = PostgresError(.decode, statement: statement, message: "its rows could not be decoded")
                failure.cause = error
                return .failure(failure)
            }
        }
    }
}
