import Timeline

/// Follows ids that are given out in order but may appear out of it: a transaction that took a number early can commit late.
///
/// What is skipped is looked for until nobody can be writing it any more; numbers of transactions that were rolled back never
/// come. Nothing is taken twice. Pure, so that it is tested as a script.
struct HistoryCursor: Hashable, Sendable {
    /// No statement of ours takes so long: it is cancelled before.
    static let patience = Duration.seconds(120)
    /// Numbers that are looked for at most; the oldest are given up first.
    static let gapCountMax = 10_000

    /// The highest id that was seen.
    private(set) var high: Int64
    /// Ids below it that were not seen, with the moment from which they are not looked for.
    private var gaps: [Int64: Moment] = [:]

    /// How far below the newest id one that is being written may lie.
    static let lookback = 1_000

    /// - Parameter newest: the newest ids that are there, by id, as many as `lookback`; what is missing among them, or right
    ///   before the first of only a few, may still appear.
    init(newest: [Int64], now: Moment) {
        high = newest.last ?? 0
        let present = Set(newest)
        for id in max(1, high - Int64(Self.lookback) + 1)..<max(1, high) where !present.contains(id) {
            gaps[id] = now + Self.patience
        }
    }

    /// Ids to ask for again.
    var missing: [Int64] { gaps.keys.sorted() }

    /// Everything up to here was seen or given up: whoever begins again after it misses nothing.
    var low: Int64 { gaps.keys.min().map { $0 - 1 } ?? high }

    /// Whether this id is new; it is not any more after this.
    mutating func take(_ id: Int64, now: Moment) -> Bool {
        if id <= high { return gaps.removeValue(forKey: id) != nil }
        // A hole as long as that is no order of commits but a sequence that was set.
        if id - high <= Int64(Self.gapCountMax) {
            for skipped in (high + 1)..<id { gaps[skipped] = now + Self.patience }
        }
        high = id
        return true
    }

    /// Gives up what nobody can be writing any more.
    mutating func forget(now: Moment) {
        gaps = gaps.filter { $0.value > now }
        let excess = gaps.count - Self.gapCountMax
        if excess > 0 { for id in missing.prefix(excess) { gaps.removeValue(forKey: id) } }
    }
}
