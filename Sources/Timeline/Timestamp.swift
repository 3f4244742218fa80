/// An instant of the database clock, in microseconds since 1970-01-01T00:00:00Z: what a `timestamptz` column holds.
///
/// Exact, unlike a floating-point date: a settle compares the `next_check_at` that its claim saw, to the microsecond.
public struct Timestamp: Hashable, Comparable, Sendable {
    public var microseconds: Int64

    public init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// PostgreSQL's `infinity` and `-infinity`.
    public static let distantFuture = Timestamp(microseconds: .max)
    public static let distantPast = Timestamp(microseconds: .min)

    public static func < (a: Timestamp, b: Timestamp) -> Bool { a.microseconds < b.microseconds }

    /// Saturates: an infinite instant stays infinite, and nothing wraps around.
    public static func + (timestamp: Timestamp, duration: Duration) -> Timestamp {
        guard timestamp != .distantFuture, timestamp != .distantPast else { return timestamp }
        let (sum, overflow) = timestamp.microseconds.addingReportingOverflow(duration.wholeMicroseconds)
        return overflow ? (duration < .zero ? .distantPast : .distantFuture) : Timestamp(microseconds: sum)
    }

    public static func - (timestamp: Timestamp, duration: Duration) -> Timestamp {
        timestamp + (.zero - duration)
    }

    /// How much later `end` is than `start`; negative if it is earlier.
    public static func - (end: Timestamp, start: Timestamp) -> Duration {
        let (difference, overflow) = end.microseconds.subtractingReportingOverflow(start.microseconds)
        return .microseconds(overflow ? (end < start ? Int64.min : .max) : difference)
    }
}

extension Duration {
    /// Microseconds, rounded towards zero and saturated at the bounds of `Int64`.
    public var wholeMicroseconds: Int64 {
        // Bounded first: `components` traps for what is longer than Int64 has seconds.
        if self >= .microseconds(Int64.max) { return .max }
        if self <= .microseconds(Int64.min) { return .min }
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        let (sum, carry) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000_000)
        return overflow || carry ? (self < .zero ? .min : .max) : sum
    }

    /// Milliseconds, rounded towards zero.
    public var wholeMilliseconds: Int64 { wholeMicroseconds / 1_000 }

    /// Seconds as a floating-point number, for metrics and people.
    public var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
