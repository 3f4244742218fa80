/// How many rows have a status and a reason for review.
public struct StatusCount: Hashable, Sendable {
    public var status: String
    public var reviewReason: String?
    public var rows: RowCount

    public init(status: String, reviewReason: String? = nil, rows: RowCount) {
        self.status = status
        self.reviewReason = reviewReason
        self.rows = rows
    }

    /// Rows without a reason, of a table too large to be counted, as the planner estimates them.
    ///
    /// What waits for a human is never estimated: neither rows with a reason nor those in the status of that name.
    ///
    /// - Parameters:
    ///   - counted: what was counted to a bound; of rows without a reason there are so many at least.
    ///   - estimates: rows by status, with and without a reason. Empty: the planner knows nothing of them.
    static func estimated(_ counted: [StatusCount], by estimates: [(status: String, count: Int64)]) -> [StatusCount] {
        var counts = counted
        for estimate in estimates where estimate.status != "review" {
            let reviewed = counted.filter { $0.status == estimate.status && $0.reviewReason != nil }
                .reduce(0) { $0 + $1.rows.count }
            let place = counts.firstIndex { $0.status == estimate.status && $0.reviewReason == nil }
            let seen = place.map { counts[$0].rows.count } ?? 0
            let rows = RowCount(max(estimate.count - reviewed, seen), .estimated)
            if let place {
                counts[place].rows = rows
            } else if rows.count > 0 {
                counts.append(StatusCount(status: estimate.status, rows: rows))
            }
        }
        return counts.sorted { ($0.status, $0.reviewReason ?? "") < ($1.status, $1.reviewReason ?? "") }
    }
}
