import Logging
import Postgres
import ServiceLifecycle
import Synchronization

/// Listens for wake-ups of all watches of a process over one connection, while it runs.
public final class WakeupListener: Service {
    private struct State {
        var subscriptions: [Int: (watch: String, continuation: AsyncStream<[String]>.Continuation)] = [:]
        var nextKey = 0
        var isOver = false
    }

    private let listener: PostgresListener
    private let state = Mutex(State())

    /// - Parameter configuration: a direct connection, also when the pool goes through PgBouncer.
    public init(configuration: PostgresConfiguration, logger: Logger) {
        listener = PostgresListener(configuration: configuration, channels: ["reconciled"], logger: logger)
    }

    /// Lanes of this watch whose rows became due sooner; an empty list means any. Only for one consumer; ends with the
    /// listener. What comes before the first look is kept.
    public func wakeups(of watch: String) -> AsyncStream<[String]> {
        // A wake-up that does not fit is covered by the one before it or by the poll.
        let (stream, continuation) = AsyncStream.makeStream(of: [String].self, bufferingPolicy: .bufferingNewest(1_024))
        let key = state.withLock { state -> Int? in
            guard !state.isOver else { return nil }
            defer { state.nextKey += 1 }
            state.subscriptions[state.nextKey] = (watch, continuation)
            return state.nextKey
        }
        guard let key else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            _ = self?.state.withLock { $0.subscriptions.removeValue(forKey: key) }
        }
        return stream
    }

    /// Rows of this watch became due by something that this process did; its own sessions do not notify.
    public func wake(_ watch: String) { wake(watch[...], []) }

    public func run() async throws {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.listener.run() }
            for await event in listener.events.cancelOnGracefulShutdown() {
                switch event {
                case .listening: wake(nil, [])  // what was missed meanwhile may concern any lane
                case .notification(_, let payload):
                    guard let colon = payload.firstIndex(of: ":") else { continue }
                    wake(payload[..<colon], [String(payload[payload.index(after: colon)...])])
                }
            }
            group.cancelAll()
        }
        let continuations = state.withLock { state in
            state.isOver = true
            return state.subscriptions.values.map(\.continuation)
        }
        // Not under the lock: finishing calls `onTermination`, which takes it.
        for continuation in continuations { continuation.finish() }
    }

    /// - Parameter watch: nil for all.
    private func wake(_ watch: Substring?, _ lanes: [String]) {
        let continuations = state.withLock { state in
            state.subscriptions.values.filter { watch.map($0.watch.elementsEqual) ?? true }.map(\.continuation)
        }
        for continuation in continuations { continuation.yield(lanes) }
    }
}
