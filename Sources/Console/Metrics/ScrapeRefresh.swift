import Timeline

/// Refreshes what only the database knows when someone scrapes, at most once in an interval.
///
/// Nobody who does not look costs the database anything, and ten scrapers cost no more than one.
public actor ScrapeRefresh {
    private let interval: Duration
    private let refresh: @Sendable () async -> Void
    private var refreshedAt: Moment?
    private var isRunning = false

    /// - Parameter refresh: bounds its own time; what fails in it, it reports itself.
    public init(every interval: Duration = .seconds(15), refresh: @escaping @Sendable () async -> Void) {
        self.interval = interval
        self.refresh = refresh
    }

    /// Returns at once while another scrape refreshes: its values are old by an interval at most.
    public func refreshIfStale() async {
        let now = Moment.now
        if isRunning { return }
        if let refreshedAt, now - refreshedAt < interval { return }
        isRunning = true
        refreshedAt = now
        await refresh()
        isRunning = false
    }
}
