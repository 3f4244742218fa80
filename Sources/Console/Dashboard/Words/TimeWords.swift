import PostgresStore
import Timeline

/// Instants and durations as people read them, seen from one moment. All in UTC.
struct TimeWords: Sendable {
    let now: Timestamp

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// `14:03:11` today, `26 Nov 14:03:11` this year, else with the year.
    func text(_ instant: Timestamp) -> String {
        guard instant > .distantPast, instant < .distantFuture else { return "never" }
        // 2026-11-27T14:03:11.123456Z
        let parts = instant.description.split(separator: "T")
        guard parts.count == 2 else { return instant.description }
        let clock = String(parts[1].prefix(8))
        guard let date = Self.date(instant), let today = Self.date(now) else { return instant.description }
        if date == today { return clock }
        let day = "\(date.day) \(Self.months[(date.month - 1) % 12])"
        return date.year == today.year ? "\(day) \(clock)" : "\(day) \(date.year) \(clock)"
    }

    /// For a `<time>`.
    func model(_ instant: Timestamp?) -> Model? {
        instant.map { ["iso": $0.description, "text": text($0)] }
    }

    /// `in 5 min`, `3 s ago`, `now`.
    func relative(_ instant: Timestamp) -> String {
        let distance = instant - now
        if distance >= .seconds(1) { return "in \(Self.duration(distance))" }
        if distance <= .seconds(-1) { return "\(Self.duration(.zero - distance)) ago" }
        return "now"
    }

    /// One or two units: `8 ms`, `3 s`, `5 min`, `1 h 20 min`, `3 d`.
    static func duration(_ duration: Duration) -> String {
        let milliseconds = duration.wholeMilliseconds
        let seconds = milliseconds / 1_000
        switch seconds {
        case ..<1: return "\(max(0, milliseconds)) ms"
        case ..<120: return "\(seconds) s"
        case ..<7_200: return "\(seconds / 60) min"
        case ..<172_800:
            let minutes = seconds / 60 % 60
            return minutes == 0 ? "\(seconds / 3_600) h" : "\(seconds / 3_600) h \(minutes) min"
        default: return "\(seconds / 86_400) d"
        }
    }

    private static func date(_ instant: Timestamp) -> (year: Int, month: Int, day: Int)? {
        let numbers = instant.description.prefix(10).split(separator: "-").compactMap { Int($0) }
        return numbers.count == 3 ? (numbers[0], numbers[1], numbers[2]) : nil
    }
}

/// `1 order`, `3 orders`, `10,000+ orders`, `~2,000,000 orders`.
package enum CountWords {
    static func text(_ count: Int64) -> String {
        var digits = String(count)
        var index = digits.count - 3
        while index > (count < 0 ? 1 : 0) {
            digits.insert(",", at: digits.index(digits.startIndex, offsetBy: index))
            index -= 3
        }
        return digits
    }

    package static func text(_ rows: RowCount) -> String {
        switch rows.precision {
        case .exact: text(rows.count)
        case .atLeast: text(rows.count) + "+"
        case .estimated: "~" + text(rows.count)
        }
    }

    static func text(_ count: Int64, _ noun: String) -> String { text(RowCount(count), noun) }

    package static func text(_ rows: RowCount, _ noun: String) -> String {
        let plural = noun.hasSuffix("y") ? noun.dropLast() + "ies" : noun + "s"
        return "\(text(rows)) \(rows == RowCount(1) ? noun : String(plural))"
    }

    /// `1st`, `2nd`, `11th`.
    static func ordinal(_ number: Int64) -> String {
        let suffix =
            switch (number % 100, number % 10) {
            case (11...13, _): "th"
            case (_, 1): "st"
            case (_, 2): "nd"
            case (_, 3): "rd"
            default: "th"
            }
        return "\(number)\(suffix)"
    }
}
