import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import ReconciledCLI

/// The pollers of all watches end together.
@Suite(.timeLimit(.minutes(1))) struct PollersTests {
    private struct Failure: Error {}

    private struct Failing: Service {
        let others: AsyncStream<Void>

        func run() async throws {
            for await _ in others { break }
            throw Failure()
        }
    }

    /// Finishes what runs when it is shut down, and is not cancelled.
    private final class Busy: Service {
        let began: AsyncStream<Void>.Continuation
        let isFinished = Mutex(false)

        init(_ began: AsyncStream<Void>.Continuation) {
            self.began = began
        }

        func run() async throws {
            began.yield()
            try await gracefulShutdown()
            try Task.checkCancellation()
            isFinished.withLock { $0 = true }
        }
    }

    @Test func whereOneCannotGoOnTheOthersFinishWhatRuns() async {
        let (begins, began) = AsyncStream.makeStream(of: Void.self)
        let busy = Busy(began)
        await #expect(throws: Failure.self) {
            try await Pollers(pollers: [Failing(others: begins), busy], logger: testLogger).run()
        }
        #expect(busy.isFinished.withLock { $0 })
    }
}
