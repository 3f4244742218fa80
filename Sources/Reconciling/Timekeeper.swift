import Timeline

/// The engine's clock, injected so that a simulation can run it.
public protocol Timekeeper: Sendable {
    func now() -> Moment
    /// Returns at `moment`, or throws `CancellationError` when the task is cancelled first. Late by tens of microseconds
    /// when idle, and not starved by busy tasks.
    func sleep(until moment: Moment) async throws
}
