import Glibc
import Timeline

/// The header `Retry-After`: seconds, or an HTTP date. Source: RFC 9110, section 10.2.3.
public enum RetryAfter {
    /// Nil if the text is neither; zero for an instant that has passed.
    ///
    /// - Parameter date: the response's own `Date`, so that the difference does not depend on our clock.
    public static func delay(_ text: String, date: String?) -> Duration? {
        let text = text.trimmingBlanks
        if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            // Longer than any wait that is honoured.
            return .seconds(text.utf8.count > 9 ? 999_999_999 : Int64(text) ?? 0)
        }
        guard let until = HTTPDate.timestamp(text) else { return nil }
        let now = date.flatMap(HTTPDate.timestamp) ?? Timestamp(microseconds: Int64(time(nil)) * 1_000_000)
        return max(until - now, .zero)
    }
}
