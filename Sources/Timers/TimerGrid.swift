import Timeline

/// The instants that a timer is to run at: `anchor + n × every` for n from 0 on.
///
/// Whole microseconds from the anchor, so that however many runs there are, and however late each is, none moves the next:
/// `reconciled.timer_instant` reckons the same in SQL. A day is 24 hours; time zones and leap seconds do not matter.
public struct TimerGrid: Hashable, Sendable {
    public var anchor: Timestamp
    /// Microseconds, above zero.
    public let every: Int64

    /// Traps for an interval that is not above zero: the table has none.
    public init(anchor: Timestamp, every: Duration) {
        self.anchor = anchor
        self.every = every.wholeMicroseconds
        precondition(self.every > 0, "a timer's interval is above zero")
    }

    /// The first instant after this one; `distantFuture` if time ends before.
    public func instant(after instant: Timestamp) -> Timestamp {
        guard instant >= anchor else { return anchor }
        let (elapsed, overflow) = instant.microseconds.subtractingReportingOverflow(anchor.microseconds)
        let (next, carry) = instant.microseconds.addingReportingOverflow(every - (overflow ? 0 : elapsed % every))
        return overflow || carry ? .distantFuture : Timestamp(microseconds: next)
    }

    /// The last instant that is not after this one; nil before the first.
    public func instant(notAfter instant: Timestamp) -> Timestamp? {
        guard instant >= anchor else { return nil }
        let (elapsed, overflow) = instant.microseconds.subtractingReportingOverflow(anchor.microseconds)
        return overflow ? nil : Timestamp(microseconds: instant.microseconds - elapsed % every)
    }

    /// Whether it is one of them; any other run was asked for by hand.
    public func contains(_ instant: Timestamp) -> Bool { self.instant(notAfter: instant) == instant }

    /// How many instants there are from `first`, one of them, to `last`.
    func count(from first: Timestamp, through last: Timestamp) -> Int64 {
        guard last >= first else { return 0 }
        return (last.microseconds - first.microseconds) / every + 1
    }
}
