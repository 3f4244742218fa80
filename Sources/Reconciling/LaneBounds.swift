import Timeline

/// Where the claims of one lane start to look.
///
/// A drained index is full of dead entries below the rows still due, and under an old snapshot they cannot be cleaned
/// away: a claim that starts at the bottom walks all of them each time (facts: 39,000 rows/s fall to 1,400). So each
/// claim starts where the one before it ended. A row that is known to be due below that place lowers it; what else may
/// fall due there (a lapsed lease, a row that was locked, one of which no notification came) is found by a sweep, which
/// looks from the bottom again. When a claim has then seen all that is due, the next one starts where it had been before.
struct LaneBounds<ID: Sendable & Comparable>: Sendable {
    /// How far back a wake-up looks: a row nudged while the claim was under way lies a little below its end.
    private static var wakeupReach: Duration { .seconds(2) }

    /// Where a claim started.
    struct Start: Sendable {
        var from: ClaimBound<ID>?
        fileprivate var number: Int
    }

    private(set) var current: ClaimBound<ID>?
    /// Where it was before it was lowered: all that is due below, above the place where it is now, was seen once.
    private var before: ClaimBound<ID>?
    private var startCount = 0
    /// Of each claim under way, by its number, the lowest place that the bound was lowered to since it was sent.
    private var lowestSince: [Int: Timestamp] = [:]

    /// Looks from the bottom again, until the next claim that was sent from now on: those under way raise nothing.
    mutating func reset() {
        setAside()
        current = nil
        lowestSince = [:]
    }

    /// Rows were made due "now", by the database's clock: they lie above two seconds before its present.
    mutating func wokenUp(now: Timestamp) { lower(to: now - Self.wakeupReach) }

    /// A row is due at that time. A claim that was sent before may not have seen it, and must not jump over it.
    mutating func lower(to dueAt: Timestamp) {
        if let bound = current, bound.dueAt >= dueAt {
            setAside()
            current = Self.below(dueAt, bound)
        }
        for (number, lowest) in lowestSince where dueAt < lowest { lowestSince[number] = dueAt }
    }

    /// A claim is sent.
    mutating func start(isSweep: Bool) -> Start {
        if isSweep { reset() }
        startCount += 1
        lowestSince[startCount] = .distantFuture
        return Start(from: current, number: startCount)
    }

    /// The claim that started there came back.
    ///
    /// - Parameters:
    ///   - last: the last row that it brought, nil for none.
    ///   - isFull: it brought as many rows as it asked for; otherwise it saw everything due above its start.
    mutating func finish(_ start: Start, last: ClaimBound<ID>?, isFull: Bool) {
        guard let lowest = lowestSince.removeValue(forKey: start.number) else { return }
        raise(to: last, below: lowest)
        guard !isFull, let before else { return }
        raise(to: before, below: lowest)
        // One that was sent before the bound was lowered leaves it to those sent since.
        if before.dueAt < lowest { self.before = nil }
    }

    /// The claim came back, and left rows that it might have brought.
    mutating func giveUp(_ start: Start) { lowestSince[start.number] = nil }

    private mutating func setAside() {
        guard let current else { return }
        if let before, (current.dueAt, current.id) <= (before.dueAt, before.id) { return }
        before = current
    }

    private mutating func raise(to bound: ClaimBound<ID>?, below lowest: Timestamp) {
        guard var bound else { return }
        if bound.dueAt >= lowest { bound = Self.below(lowest, bound) }
        if let current, (bound.dueAt, bound.id) <= (current.dueAt, current.id) { return }
        current = bound
    }

    /// A place below all rows that are due at that time or later; microseconds are exact.
    private static func below(_ dueAt: Timestamp, _ bound: ClaimBound<ID>) -> ClaimBound<ID> {
        ClaimBound(dueAt: dueAt - .microseconds(1), id: bound.id)
    }
}
