import Synchronization
import Timeline

/// One call on a store's threads. It is given up, not waited for, when its task is cancelled, when its deadline has come
/// and when nothing moves any more: a system call on a dead mount may never return. What it was doing then ends by
/// itself as soon as it asks, as a worker does that was frozen and finds its lease gone.
final class FileWork: Sendable {
    private let threads: FileThreads
    private let deadline: Moment
    /// A single step lasts no longer.
    private let stallLimit: Duration
    private let isGivenUp = Atomic(false)
    /// When it last moved; zero while it waits for a thread.
    private let movedAt = Atomic<Int64>(0)

    /// How often it is looked after: a timer that is cancelled stays in memory until its time.
    private static let lookInterval = Duration.seconds(1)

    init(on threads: FileThreads, deadline: Moment, stallLimit: Duration) {
        self.threads = threads
        self.deadline = deadline
        self.stallLimit = stallLimit
    }

    /// To be asked between two steps; that it is asked is the sign that something moves.
    func mustEnd() -> Bool {
        let now = Moment.now
        movedAt.store(now.nanoseconds, ordering: .relaxed)
        threads.note(now)
        return isGivenUp.load(ordering: .relaxed) || now >= deadline
    }

    func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        movedAt.store(0, ordering: .relaxed)
        return try await withThrowingTaskGroup(of: T.self) { group in
            group.addTask { try await self.answer(body) }
            group.addTask { throw await self.giveUp(since: .now) }
            defer { group.cancelAll() }
            guard let answer = try await group.next() else { preconditionFailure("two tasks were added") }
            return answer
        }
    }

    private func answer<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        let answer = FirstAnswer<T>()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                answer.wait(continuation)
                threads.submit {
                    guard !self.mustEnd() else { return answer.give(.failure(Self.interrupted)) }
                    answer.give(Result { try body() })
                    self.threads.note(.now)
                }
            }
        } onCancel: {
            isGivenUp.store(true, ordering: .relaxed)
            answer.give(.failure(Self.interrupted))
        }
    }

    /// Returns when it is time to give up, with the reason.
    private func giveUp(since start: Moment) async -> any Error {
        while true {
            let now = Moment.now
            if now >= deadline { return Self.interrupted }
            let moved = movedAt.load(ordering: .relaxed)
            // While it waits for a thread it is enough that others move.
            let last = moved > 0 ? Moment(nanoseconds: moved) : max(start, threads.lastMove)
            if now >= last + stallLimit {
                let seconds = stallLimit.components.seconds
                return StoreFault(.unavailable(retryAfter: nil), "The files did not answer for \(seconds) s.")
            }
            let pause = min(Self.lookInterval, deadline - now, last + stallLimit - now)
            do { try await Task.sleep(for: pause) } catch { return Self.interrupted }
        }
    }

    private static let interrupted = StoreFault(.interrupted, "The work was interrupted.")
}

/// A continuation that is resumed by whoever comes first.
private final class FirstAnswer<T: Sendable>: Sendable {
    private enum State: Sendable {
        case nobody
        case waiting(CheckedContinuation<T, any Error>)
        case given(Result<T, any Error>)
    }

    private let state = Mutex(State.nobody)

    func wait(_ continuation: CheckedContinuation<T, any Error>) {
        let early: Result<T, any Error>? = state.withLock { state in
            if case .given(let result) = state { return result }
            state = .waiting(continuation)
            return nil
        }
        if let early { continuation.resume(with: early) }
    }

    func give(_ result: Result<T, any Error>) {
        let waiter: CheckedContinuation<T, any Error>? = state.withLock { state in
            defer { if case .given = state {} else { state = .given(result) } }
            if case .waiting(let continuation) = state { return continuation }
            return nil
        }
        waiter?.resume(with: result)
    }
}
