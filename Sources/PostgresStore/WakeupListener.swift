import Logging
import Postgres
import Reconciling
import ServiceLifecycle
import Synchronization
import Timeline

/// Listens for wake-ups of all watches of a process over one connection, while it runs.
public final class WakeupListener: Service {
    private struct State {
        var subscriptions: [Int: (watch: String, continuation: AsyncStream<Wakeup>.Continuation)] = [:]
        var nextKey = 0
        var isOver = false
    }

    private let listener: PostgresListener
    private let state = Mutex(State())

    /// - Parameter configuration: a direct connection, also when the pool goes through PgBouncer.
    public init(configuration: PostgresConfiguration, logger: Logger) {
        listener = PostgresListener(configuration: configuration, channels: ["reconciled"], logger: logger)
    }

    /// Only for one consumer; ends with the listener. What comes before the first look is kept.
    public func wakeups(of watch: String) -> AsyncStream<Wakeup> {
        let (stream, continuation) = AsyncStream.makeStream(of: Wakeup.self, bufferingPolicy: .bufferingNewest(1_024))
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
    public func wake(_ watch: String) { wake(watch[...], Wakeup(lane: nil)) }

    public func run() async throws {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.listener.run() }
            for await event in listener.events.cancelOnGracefulShutdown() {
                switch event {
                // What was missed meanwhile may concern any lane, and any time.
                case .listening: wake(nil, Wakeup(lane: nil, dueFrom: .distantPast))
                case .notification(_, let payload): read(payload)
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

    /// `watch:lane`, of rows that were made due at present, or `watch@seconds:lane`; 0 is the beginning of time.
    private func read(_ payload: String) {
        guard let colon = payload.firstIndex(of: ":") else { return }
        let parts = payload[..<colon].split(separator: "@", maxSplits: 1)
        guard let watch = parts.first else { return }
        let seconds = parts.count == 2 ? Int64(parts[1]) : nil
        wake(
            watch,
            Wakeup(
                lane: String(payload[payload.index(after: colon)...]),
                dueFrom: seconds.map { $0 == 0 ? .distantPast : Timestamp(microseconds: 0) + .seconds($0) }))
    }

    /// - Parameter watch: nil for all.
    private func wake(_ watch: Substring?, _ wakeup: Wakeup) {
        let continuations = state.withLock { state in
            state.subscriptions.values.filter { watch.map($0.watch.elementsEqual) ?? true }.map(\.continuation)
        }
        for continuation in continuations {
            guard case .dropped = continuation.yield(wakeup) else { continue }
            // Too many to keep them apart.
            continuation.yield(Wakeup(lane: nil, dueFrom: .distantPast))
        }
    }
}
