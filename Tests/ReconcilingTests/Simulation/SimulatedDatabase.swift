import Reconciling
import Synchronization
import Timeline

/// The table that all simulated stores share, with the notifications that its trigger would send.
final class SimulatedDatabase: Sendable {
    private struct State: Sendable {
        var table = SimulatedTable()
        var statementCount = 0
        var listeners: [AsyncStream<Wakeup>.Continuation] = []
    }

    private let state = Mutex(State())
    private let clock: @Sendable () -> Timestamp

    init(flaws: Flaws = [], clock: @escaping @Sendable () -> Timestamp) {
        self.clock = clock
        state.withLock { $0.table.flaws = flaws }
    }

    /// One statement, at one instant of the database's clock.
    @discardableResult
    func perform<T: Sendable>(_ body: (inout sending SimulatedTable, Timestamp) -> T) -> T {
        let now = clock()
        return state.withLock { state in
            state.statementCount += 1
            return body(&state.table, now)
        }
    }

    /// Looks at the table from outside the simulation.
    func inspect<T: Sendable>(_ body: (SimulatedTable) -> T) -> T { state.withLock { body($0.table) } }

    var statementCount: Int { state.withLock { $0.statementCount } }

    func listen() -> AsyncStream<Wakeup> {
        let (stream, continuation) = AsyncStream.makeStream(of: Wakeup.self, bufferingPolicy: .bufferingNewest(64))
        state.withLock { $0.listeners.append(continuation) }
        return stream
    }

    func notify(lane: String, dueFrom: Timestamp? = nil) {
        let wakeup = Wakeup(lane: lane, dueFrom: dueFrom)
        for listener in state.withLock({ $0.listeners }) { listener.yield(wakeup) }
    }
}
