import PostgresStore

/// Counts of rows that only the database knows, as the last refresh saw them.
public struct RowGauges: Sendable {
    public struct Due: Sendable {
        public var watch: String
        public var lane: String
        public var count: Int

        public init(watch: String, lane: String, count: Int) {
            self.watch = watch
            self.lane = lane
            self.count = count
        }
    }

    public struct Review: Sendable {
        public var watch: String
        public var reason: String
        public var count: Int

        public init(watch: String, reason: String, count: Int) {
            self.watch = watch
            self.reason = reason
            self.count = count
        }
    }

    public var due: [Due]
    public var review: [Review]
    /// Every lane that the database knows.
    public var lanes: [(name: String, isPaused: Bool)]

    public init(due: [Due], review: [Review], lanes: [(name: String, isPaused: Bool)]) {
        self.due = due
        self.review = review
        self.lanes = lanes
    }

    private static var most: String { CountWords.text(Int64(DeskBounds.countedMax)) }

    /// Replaces what an earlier refresh wrote.
    public func write(to registry: MetricsRegistry) {
        registry.replaceGauges(
            "reconciled_due_rows", help: "Rows that are due, also those under way; counted to \(Self.most) a lane.",
            due.map { ([("watch", $0.watch), ("lane", $0.lane)], Double($0.count)) })
        registry.replaceGauges(
            "reconciled_review_rows",
            help: "Rows that a human must decide, by reason; counted to \(Self.most) a watch.",
            review.map { ([("watch", $0.watch), ("reason", $0.reason)], Double($0.count)) })
        registry.replaceGauges(
            "reconciled_lane_paused", help: "1 while the lane may not run.",
            lanes.map { ([("lane", $0.name)], $0.isPaused ? 1 : 0) })
    }
}
