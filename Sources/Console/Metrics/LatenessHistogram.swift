/// How late checks began, as counts by the bounds of `reconciled_lateness_seconds`.
public enum LatenessHistogram {
    /// Seconds; what is above the last one is counted beside them.
    static let bounds = EngineMetrics.secondsBounds

    /// The lateness in seconds that this share of the checks did not exceed, interpolated within its bounds; nil for none.
    ///
    /// What lies above all bounds counts as the last bound: it is at least that.
    ///
    /// - Parameters:
    ///   - counts: one for each bound, then those above; not cumulated.
    ///   - share: from 0 to 1.
    public static func quantile(_ counts: [Int64], _ share: Double) -> Double? {
        let total = counts.reduce(0, +)
        guard total > 0 else { return nil }
        let rank = min(max(share, 0), 1) * Double(total)
        var below = 0.0
        for (index, count) in counts.enumerated() where count > 0 {
            defer { below += Double(count) }
            guard below + Double(count) >= rank else { continue }
            guard index < bounds.count else { return bounds.last }
            let lower = index == 0 ? 0 : bounds[index - 1]
            return lower + (bounds[index] - lower) * max(0, rank - below) / Double(count)
        }
        return bounds.last
    }
}
