import ServiceLifecycle

/// Runs a closure at once and then again and again, one run at a time, until the process shuts down.
public struct PeriodicWork: Service {
    private let interval: Duration
    private let work: @Sendable () async -> Void

    /// - Parameter work: what fails in it, it reports itself.
    public init(every interval: Duration, work: @escaping @Sendable () async -> Void) {
        self.interval = interval
        self.work = work
    }

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await work()
                // Cancelled: the loop ends.
                try? await Task.sleep(for: interval)
            }
        }
    }
}
