import Logging
import NIOCore
import Postgres
import PostgresStore
import ServiceLifecycle
import Synchronization
import Timeline

/// Follows the history for all who listen to this process: one reader, however many they are, and none while there is none.
///
/// A listener that does not keep up is cut off, and comes back with the id of the last event that it saw; it never holds up
/// the others.
public final class EventFeed: Service {
    static let listenersMax = 2_000
    /// Events that a listener may be behind.
    static let backlogMax = 1_024
    /// Entries that are read at a time, and that a listener who comes back is given at most.
    static let batch = 1_000
    static let interval = Duration.milliseconds(300)
    static let heartbeat = Duration.seconds(15)

    struct Listener: Sendable {
        let key: Int
        let events: AsyncStream<ByteBuffer>
    }

    private struct State {
        var listeners: [Int: (watch: String?, continuation: AsyncStream<ByteBuffer>.Continuation)] = [:]
        var nextKey = 0
        var isOver = false
        /// Everything up to here was seen by whoever listens; nil while nobody does.
        var low: Int64?
    }

    private let tail: HistoryTail
    private let nouns: [String: String]
    private let logger: Logger
    private let state = Mutex(State())
    private let arrivals: AsyncStream<Void>
    private let arrival: AsyncStream<Void>.Continuation

    /// - Parameter nouns: one row's word by watch: `order`.
    public init(tail: HistoryTail, nouns: [String: String], logger: Logger) {
        self.tail = tail
        self.nouns = nouns
        self.logger = logger
        (arrivals, arrival) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    // MARK: listening

    /// Events from now on; nil when there are too many listeners already, or it is over.
    func listen(to watch: String?) -> Listener? {
        let (events, continuation) = AsyncStream.makeStream(
            of: ByteBuffer.self, bufferingPolicy: .bufferingOldest(Self.backlogMax))
        let key = state.withLock { state -> Int? in
            guard !state.isOver, state.listeners.count < Self.listenersMax else { return nil }
            defer { state.nextKey += 1 }
            state.listeners[state.nextKey] = (watch, continuation)
            return state.nextKey
        }
        guard let key else { return nil }
        continuation.onTermination = { [weak self] _ in
            _ = self?.state.withLock { $0.listeners.removeValue(forKey: key) }
        }
        arrival.yield()
        return Listener(key: key, events: events)
    }

    /// Waits until what is written from now on will be heard; false if that takes too long.
    func follows() async throws -> Bool {
        let limit = Moment.now + .seconds(5)
        while state.withLock({ $0.low == nil && !$0.isOver }) {
            guard Moment.now < limit else { return false }
            try await Task.sleep(for: .milliseconds(5))
        }
        return true
    }

    /// The first of what a listener missed who saw everything up to this id, and where the rest begins; nil when that was
    /// all.
    func missed(
        after id: Int64, watch: String?
    ) async throws(PostgresError) -> (events: [ByteBuffer], rest: Int64?) {
        // Who is cut off again must not begin behind one that is being written.
        let low = place ?? id
        let entries = try await tail.entries(after: id, missing: [], limit: Self.batch)
        let events = entries.filter { watch == nil || $0.watch == watch }
            .map { HistoryEvent.encoded($0, noun: noun($0.watch), resume: min($0.id, low)) }
        return (events, entries.count < Self.batch ? nil : entries.last?.id)
    }

    /// Everything up to this id was seen; nil while nobody listens.
    var place: Int64? { state.withLock { $0.low } }

    var listenerCount: Int { state.withLock { $0.listeners.count } }

    private func noun(_ watch: String) -> String { nouns[watch] ?? (watch == "lanes" ? "lane" : watch) }

    // MARK: reading

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in self.arrivals {
                await self.follow()
                if Task.isCancelled { break }
            }
        }
        let left = state.withLock { state in
            state.isOver = true
            return state.listeners.values.map(\.continuation)
        }
        for continuation in left { continuation.finish() }
    }

    /// Reads on for as long as someone listens.
    private func follow() async {
        var cursor: HistoryCursor?
        var beat = Moment.now + Self.heartbeat
        while !Task.isCancelled, isHeard() {
            do {
                cursor = try await read(cursor)
                state.withLock { [low = cursor?.low] in $0.low = low }
            } catch {
                if !Task.isCancelled { logger.debug("the history was not read", metadata: ["error": "\(error)"]) }
            }
            if Moment.now >= beat {
                beat = Moment.now + Self.heartbeat
                broadcast(ByteBuffer(string: ": alive\n\n"), of: nil)
            }
            // Cancelled: the loop ends.
            try? await Task.sleep(for: Self.interval)
        }
    }

    /// Whether anyone listens. With the last one the place is forgotten, in the same instant: whoever comes next waits for
    /// a new one.
    private func isHeard() -> Bool {
        state.withLock { state in
            if state.listeners.isEmpty { state.low = nil }
            return !state.listeners.isEmpty
        }
    }

    private func read(_ followed: HistoryCursor?) async throws(PostgresError) -> HistoryCursor {
        guard var cursor = followed else {
            return HistoryCursor(newest: try await tail.newestIDs(limit: HistoryCursor.lookback), now: .now)
        }
        var count = Self.batch
        while count >= Self.batch {
            let entries = try await tail.entries(after: cursor.high, missing: cursor.missing, limit: Self.batch)
            count = entries.count
            let now = Moment.now
            // All of them first: only then is it known what is still missing among them.
            let new = entries.filter { cursor.take($0.id, now: now) }
            for entry in new {
                broadcast(
                    HistoryEvent.encoded(entry, noun: noun(entry.watch), resume: min(entry.id, cursor.low)),
                    of: entry.watch)
            }
            cursor.forget(now: now)
        }
        return cursor
    }

    /// - Parameter watch: nil goes to everyone.
    private func broadcast(_ event: ByteBuffer, of watch: String?) {
        let listeners = state.withLock { state in
            state.listeners.filter { watch == nil || $0.value.watch == nil || $0.value.watch == watch }
        }
        for (_, continuation) in listeners.values {
            if case .dropped = continuation.yield(event) { continuation.finish() }
        }
    }
}
