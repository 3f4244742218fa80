import Synchronization
import Timeline

/// One caller's patience: until when it waits, and whether its task was cancelled meanwhile.
final class Call: Sendable {
    let deadline: Moment
    /// Ends this call too when it is cancelled.
    private let parent: Call?

    private struct State {
        var isCancelled = false
        var wakeup: Wakeup?
    }

    private let state = Mutex(State())

    init(deadline: Duration?, within parent: Call? = nil) {
        self.deadline = deadline.map { Moment.now + $0 } ?? .distantFuture
        self.parent = parent
    }

    /// Ends the call's wait, on whichever thread that is.
    func cancel() {
        state.withLock {
            $0.isCancelled = true
            $0.wakeup?.signal()
        }
    }

    /// Runs `body` on a thread that `cancel` interrupts by `wakeup`.
    func running<T>(interruptedBy wakeup: Wakeup, _ body: () -> T) -> T {
        state.withLock { $0.wakeup = wakeup }
        // Let go of the wake-up, so that a late cancel does not disturb the connection's next call.
        defer { state.withLock { $0.wakeup = nil } }
        return body()
    }

    func check() throws(PostgresError) {
        try parent?.check()
        if state.withLock({ $0.isCancelled }) { throw PostgresError(.cancelled, message: "the task was cancelled") }
        if Moment.now >= deadline { throw PostgresError(.deadline, message: "the deadline passed") }
    }
}
