import Timeline

/// Where the claims of one lane start to look.
///
/// A drained index is full of dead entries below the rows still due, and under an old snapshot they cannot be cleaned
/// away: a claim that starts at the bottom walks all of them each time (facts: 39,000 rows/s fall to 1,400). So each
/// claim starts where the one before it ended. What may fall due below that place (a lapsed lease, a row that was
/// locked, a `next_check_at` set in the past) is found by a sweep, which looks from the bottom again.
struct LaneBounds<ID: Sendable & Comparable>: Sendable {
    /// How far back a wake-up looks: a row nudged while the claim was under way lies a little below its end.
    private static var wakeupReach: Duration { .seconds(2) }
    private static var trailCountMax: Int { 4 }

    /// Where a claim started.
    struct Start: Sendable {
        var from: ClaimBound<ID>?
        fileprivate var generation: Int
        fileprivate var wakeupCount: Int
        /// What falls due by then cannot have become due after the sending. Nil: the database's clock is not known.
        fileprivate var horizon: Timestamp?
        /// The bound that a sweep set aside.
        fileprivate var previous: ClaimBound<ID>?
    }

    private(set) var current: ClaimBound<ID>?
    /// Grows with each reset, so that a claim sent before it does not raise the bound again.
    private var generation = 0
    /// Grows with each wake-up: a claim sent before one does not raise the bound above what was made due meanwhile.
    private var wakeupCount = 0
    /// Earlier bounds at least a second apart, oldest first, for `wokenUp`.
    private var trail: [ClaimBound<ID>] = []

    /// Looks from the bottom again, until the next claim that was sent from now on.
    mutating func reset() {
        current = nil
        trail = []
        generation += 1
    }

    /// Lowers the bound to two seconds before the database's present: rows made due "now" lie above that.
    mutating func wokenUp(now: Timestamp) {
        wakeupCount += 1
        let horizon = now - Self.wakeupReach
        guard let bound = current, bound.dueAt > horizon else { return }
        while let last = trail.last, last.dueAt > horizon { trail.removeLast() }
        current = trail.last
    }

    /// A claim is sent, at this time of the database's clock.
    mutating func start(isSweep: Bool, now: Timestamp?) -> Start {
        let previous = isSweep ? current : nil
        if isSweep { reset() }
        return Start(
            from: current, generation: generation, wakeupCount: wakeupCount,
            horizon: now.map { $0 - Self.wakeupReach }, previous: previous)
    }

    /// The claim that started there came back.
    ///
    /// - Parameters:
    ///   - last: the last row that it brought, nil for none.
    ///   - isFull: it brought as many rows as it asked for; otherwise it saw everything due above its start.
    mutating func finish(_ start: Start, last: ClaimBound<ID>?, isFull: Bool) {
        guard start.generation == generation else { return }
        raise(to: last, by: start)
        if !isFull { raise(to: start.previous, by: start) }
    }

    private mutating func raise(to bound: ClaimBound<ID>?, by start: Start) {
        guard start.wakeupCount != wakeupCount else { return raise(to: bound) }
        // The claim may have read the table before the row was made due that the wake-up told of.
        guard var bound, let horizon = start.horizon else { return }
        bound.dueAt = min(bound.dueAt, horizon)
        raise(to: bound)
    }

    private mutating func raise(to bound: ClaimBound<ID>?) {
        guard let bound else { return }
        if let current, (bound.dueAt, bound.id) <= (current.dueAt, current.id) { return }
        current = bound
        if let newest = trail.last, bound.dueAt - newest.dueAt < .seconds(1) { return }
        if trail.count == Self.trailCountMax { trail.removeFirst() }
        trail.append(bound)
    }
}
