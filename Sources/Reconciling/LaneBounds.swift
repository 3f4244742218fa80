import Timeline

/// Where the claims of one lane start to look.
///
/// A drained index is full of dead entries below the rows still due, and under an old snapshot they cannot be cleaned
/// away: a claim that starts at the bottom walks all of them each time (facts: 39,000 rows/s fall to 1,400). So each
/// claim starts where the one before it ended. A row that is known to be due below that place lowers it; what else may
/// fall due there (a lapsed lease, a row that was locked, one of which no notification came) is found by a sweep, which
/// looks from the bottom again. A sweep that found little gives the bound back, as does a claim that found what a
/// notification had lowered it for.
struct LaneBounds<ID: Sendable & Comparable>: Sendable {
    /// How far back a wake-up looks: a row nudged while the claim was under way lies a little below its end.
    private static var wakeupReach: Duration { .seconds(2) }
    /// Notifications of rows that are due since long ago have a claim walk the dead entries so often at most.
    private static var deepInterval: Duration { .seconds(1) }

    /// Where a claim started.
    struct Start: Sendable {
        var from: ClaimBound<ID>?
        fileprivate var number: Int
        /// The bound that a sweep set aside.
        fileprivate var previous: ClaimBound<ID>?
    }

    private(set) var current: ClaimBound<ID>?
    /// The bound that notifications set aside.
    private var before: ClaimBound<ID>?
    private var startCount = 0
    /// Of each claim under way, by its number, the lowest place that the bound was lowered to since it was sent.
    private var lowestSince: [Int: Timestamp] = [:]
    /// When a notification last lowered the bound far.
    private var deepAt: Moment?
    /// How far those that came since would have.
    private var postponed: Timestamp?

    /// Looks from the bottom again, until the next claim that was sent from now on: those under way raise nothing.
    mutating func reset() {
        current = nil
        before = nil
        postponed = nil
        lowestSince = [:]
    }

    /// Rows were made due "now", by the database's clock: they lie above two seconds before its present.
    mutating func wokenUp(now: Timestamp) { lower(to: now - Self.wakeupReach) }

    /// Rows are due since that time, perhaps far below.
    ///
    /// - Returns: when a claim is to look for them; one that is sent for another reason later does as well.
    mutating func wokenUp(dueFrom: Timestamp, now: Moment) -> Moment {
        guard let bound = current, dueFrom < bound.dueAt - Self.wakeupReach else {
            lower(to: dueFrom)
            return now
        }
        guard let next = deepAt.map({ $0 + Self.deepInterval }), now < next else {
            lowerFar(to: dueFrom, now: now)
            return now
        }
        postponed = min(dueFrom, postponed ?? dueFrom)
        return next
    }

    private mutating func lowerFar(to dueAt: Timestamp, now: Moment) {
        before = Self.upper(current, before)
        deepAt = now
        postponed = nil
        lower(to: dueAt)
    }

    /// A row is due at that time. A claim that was sent before may not have seen it, and must not jump over it.
    mutating func lower(to dueAt: Timestamp) {
        if let bound = current, bound.dueAt >= dueAt {
            current = dueAt == .distantPast ? nil : Self.below(dueAt, bound)
        }
        for (number, lowest) in lowestSince where dueAt < lowest { lowestSince[number] = dueAt }
    }

    /// A claim is sent.
    mutating func start(isSweep: Bool, now: Moment) -> Start {
        let previous = isSweep ? Self.upper(current, before) : nil
        if isSweep {
            reset()
        } else if let postponed, let deepAt, now >= deepAt + Self.deepInterval {
            lowerFar(to: postponed, now: now)
        }
        startCount += 1
        lowestSince[startCount] = .distantFuture
        return Start(from: current, number: startCount, previous: previous)
    }

    /// The claim that started there came back.
    ///
    /// - Parameters:
    ///   - last: the last row that it brought, nil for none.
    ///   - isFull: it brought as many rows as it asked for. Otherwise it saw everything above its start that was due, and
    ///     neither locked nor leased; one that brought nothing may have seen a lane on hold.
    mutating func finish(_ start: Start, last: ClaimBound<ID>?, isFull: Bool) {
        guard let lowest = lowestSince.removeValue(forKey: start.number) else { return }
        raise(to: last, below: lowest)
        guard !isFull else { return }
        raise(to: start.previous, below: lowest)
        guard last != nil, let before else { return }
        raise(to: before, below: lowest)
        // One that was sent before the bound was lowered leaves it to those sent since.
        if before.dueAt < lowest { self.before = nil }
    }

    /// The claim came back, and left rows that it might have brought.
    mutating func giveUp(_ start: Start) { lowestSince[start.number] = nil }

    private mutating func raise(to bound: ClaimBound<ID>?, below lowest: Timestamp) {
        guard var bound, lowest > .distantPast else { return }
        if bound.dueAt >= lowest { bound = Self.below(lowest, bound) }
        current = Self.upper(current, bound)
    }

    /// A place below all rows that are due at that time or later; microseconds are exact.
    private static func below(_ dueAt: Timestamp, _ bound: ClaimBound<ID>) -> ClaimBound<ID> {
        ClaimBound(dueAt: dueAt - .microseconds(1), id: bound.id)
    }

    private static func upper(_ a: ClaimBound<ID>?, _ b: ClaimBound<ID>?) -> ClaimBound<ID>? {
        guard let a, let b else { return a ?? b }
        return (a.dueAt, a.id) < (b.dueAt, b.id) ? b : a
    }
}
