import Glibc
import Timeline

/// The header `Retry-After`: seconds, or an HTTP date. Source: RFC 9110, sections 10.2.3 and 5.6.7.
public enum RetryAfter {
    /// Nil if the text is neither; zero for an instant that has passed.
    ///
    /// - Parameter date: the response's own `Date`, so that the difference does not depend on our clock.
    public static func delay(_ text: String, date: String?) -> Duration? {
        let text = trimmed(text)
        if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            // Longer than any wait that is honoured.
            return .seconds(text.utf8.count > 9 ? 999_999_999 : Int64(text) ?? 0)
        }
        guard let until = instant(text) else { return nil }
        let now = date.flatMap { instant(trimmed($0)) } ?? Timestamp(microseconds: Int64(time(nil)) * 1_000_000)
        return max(until - now, .zero)
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    // `Sun, 06 Nov 1994 08:49:37 GMT`; the two obsolete forms are not sent by servers of our time.
    private static func instant(_ text: String) -> Timestamp? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[0].hasSuffix(","), parts[5] == "GMT",
            let month = months.firstIndex(of: String(parts[2]))
        else { return nil }
        return Timestamp("\(parts[3])-\(month < 9 ? "0" : "")\(month + 1)-\(parts[1])T\(parts[4])Z")
    }

    private static func trimmed(_ text: String) -> String {
        var rest = text[...]
        while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
        return String(rest.drop { $0 == " " || $0 == "\t" })
    }
}
