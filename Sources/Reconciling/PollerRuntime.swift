import Timeline

/// What a poller runs on: injected, so that a simulation drives the very code that runs against a database.
public struct PollerRuntime: Sendable {
    /// The poller's own thread; checks run elsewhere (the task's preferred executor, or the global pool).
    public var executor: any SerialExecutor & TaskExecutor
    public var timekeeper: any Timekeeper
    /// Draws every jitter.
    public var random: any RandomNumberGenerator & Sendable

    public init(
        executor: any SerialExecutor & TaskExecutor, timekeeper: any Timekeeper,
        random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()
    ) {
        self.executor = executor
        self.timekeeper = timekeeper
        self.random = random
    }

    /// A new thread and the real clock. The thread ends when the last poller on it is gone.
    public static func ownThread() -> PollerRuntime {
        let thread = EngineThread()
        return PollerRuntime(executor: thread, timekeeper: thread)
    }
}
