import Glibc

/// An instant of this machine's CLOCK_BOOTTIME, in nanoseconds: what leases and deadlines are counted on.
///
/// CLOCK_BOOTTIME goes on while the machine is suspended, so that a poller that slept through its lease knows it.
public struct Moment: Hashable, Comparable, Sendable {
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    public static let distantFuture = Moment(nanoseconds: .max)

    /// The present moment of the real clock. The engine takes its clock by injection instead (`Timekeeper`).
    public static var now: Moment {
        var time = timespec()
        unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        return Moment(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    public static func < (a: Moment, b: Moment) -> Bool { a.nanoseconds < b.nanoseconds }

    /// Saturates.
    public static func + (moment: Moment, duration: Duration) -> Moment {
        // Bounded first: `components` traps for what is longer than Int64 has seconds.
        let bounded = min(max(duration, .nanoseconds(Int64.min)), .nanoseconds(Int64.max))
        let (seconds, attoseconds) = bounded.components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (delta, carry) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        let (sum, wrapped) = moment.nanoseconds.addingReportingOverflow(delta)
        guard !overflow, !carry, !wrapped else { return Moment(nanoseconds: duration < .zero ? .min : .max) }
        return Moment(nanoseconds: sum)
    }

    public static func - (moment: Moment, duration: Duration) -> Moment { moment + (.zero - duration) }

    public static func - (end: Moment, start: Moment) -> Duration {
        let (difference, overflow) = end.nanoseconds.subtractingReportingOverflow(start.nanoseconds)
        return .nanoseconds(overflow ? (end < start ? Int64.min : .max) : difference)
    }
}
