import ServiceLifecycle

/// Runs a closure at once and then again and again, one run at a time, until the process shuts down.
///
/// Metrics that need SQL are refreshed by it, whether or not somebody scrapes: ten scrapers cost the database no more than none.
public struct PeriodicRefresh: Service {
    private let interval: Duration
    private let refresh: @Sendable () async -> Void

    /// - Parameter refresh: bounds its own time; what fails in it, it reports itself.
    public init(every interval: Duration = .seconds(15), refresh: @escaping @Sendable () async -> Void) {
        self.interval = interval
        self.refresh = refresh
    }

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await refresh()
                // Cancelled: the loop ends.
                try? await Task.sleep(for: interval)
            }
        }
    }
}
