import Foundation
import Timeline

/// Something that costs the database much to read, read once for all who ask within a moment.
///
/// What took long to read is kept for long, so that reading takes a twentieth of the time at most, however large the tables
/// grow and however many ask.
actor SharedReading {
    static let keptMin = Duration.seconds(1)
    static let keptFactor = 20

    private struct Reading {
        var text: Result<String, any Error>
        var readAt: Timestamp
        var goodUntil: Moment
    }

    private let read: @Sendable () async throws -> String
    private let now: @Sendable () -> Moment
    private var last: Reading?
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
            if let last, now() < last.goodUntil { return (try last.text.get(), last.readAt) }
            if !isReading { return try await refresh() }
            // Whoever reads may be cancelled; then the next one tries.
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
        let text: Result<String, any Error>
        do { text = .success(try await read()) } catch {
            if Task.isCancelled { throw error }
            text = .failure(error)
        }
        // A failure is told to all who wait, and to those who ask soon after: one try at a time, and half of the time none.
        let took = now() - begun
        let factor = if case .success = text { Self.keptFactor } else { 1 }
        last = Reading(text: text, readAt: readAt, goodUntil: now() + max(Self.keptMin, took * factor))
        return (try text.get(), readAt)
    }
}
