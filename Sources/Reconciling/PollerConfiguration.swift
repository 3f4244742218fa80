import Timeline

/// One poller over one watch.
public struct PollerConfiguration: Sendable {
    /// The watch's name: `orders`.
    public var watch: String
    /// Checks in flight at most.
    public var concurrency: Int
    /// Rows a claim or a settle at most.
    public var batch: Int
    /// How long a claim holds its rows unless renewed.
    public var lease: Duration
    /// A claim at least this often, in case a notification was lost.
    public var poll: Duration
    /// Whatever bound is kept, everything due is looked at this often.
    public var sweep: Duration
    /// How long a graceful shutdown waits for checks under way.
    public var grace: Duration
    public var lanes: [LaneConfiguration]

    public init(
        watch: String, concurrency: Int = 256, batch: Int = 200, lease: Duration = .seconds(60),
        poll: Duration = .seconds(1), sweep: Duration = .seconds(5), grace: Duration = .seconds(30),
        lanes: [LaneConfiguration]
    ) {
        self.watch = watch
        self.concurrency = concurrency
        self.batch = batch
        self.lease = lease
        self.poll = poll
        self.sweep = sweep
        self.grace = grace
        self.lanes = lanes
    }
}
