import Foundation
import Timeline

/// Something that costs the database much to read, read once for all who ask within a moment.
///
/// What took long to read is kept for long, so that reading takes a twentieth of the time at most, however large the tables
/// grow and however many ask.
actor SharedReading {
    static let keptMin = Duration.seconds(1)
    static let keptFactor = 20

    private struct Value {
        var text: String
        var readAt: Timestamp
        var goodUntil: Moment
    }

    private let read: @Sendable () async throws -> String
    private let now: @Sendable () -> Moment
    private var last: Value?
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var isReading = false

    init(
        read: @escaping @Sendable () async throws -> String, now: @escaping @Sendable () -> Moment = { .now }
    ) {
        self.read = read
        self.now = now
    }

    func value() async throws -> (text: String, readAt: Timestamp) {
        while true {
            if let last, now() < last.goodUntil { return (last.text, last.readAt) }
            if !isReading { return try await refresh() }
            // Whoever reads may fail; then the next one tries.
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    private func refresh() async throws -> (text: String, readAt: Timestamp) {
        isReading = true
        defer {
            isReading = false
            for waiter in waiting { waiter.resume() }
            waiting = []
        }
        let begun = now()
        let readAt = Timestamp(microseconds: Int64(Date.now.timeIntervalSince1970 * 1e6))
        let text = try await read()
        last = Value(
            text: text, readAt: readAt, goodUntil: now() + max(Self.keptMin, (now() - begun) * Self.keptFactor))
        return (text, readAt)
    }
}
