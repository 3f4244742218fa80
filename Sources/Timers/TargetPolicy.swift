import Outgoing

/// Which hosts timers may call. Who may add a timer has the machine that runs it call a URL of his choice: what only that
/// machine can reach (itself, its network, its cloud's credentials) is to be named before it is called.
public struct TargetPolicy: Hashable, Sendable {
    public enum Verdict: Hashable, Sendable {
        case allowed
        /// Allowed if the host's name leads to an address of the public Internet, which only the connection shows.
        case allowedIfPublic
        case forbidden
    }

    private enum Pattern: Hashable, Sendable {
        /// `*`: any host of the public Internet.
        case any
        /// `*.example.com`: any name below it, on the public Internet.
        case below(String)
        /// A name or an address, wherever it is.
        case exact(String)

        init?(_ text: String) {
            let text = text.lowercased()
            if text == "*" {
                self = .any
            } else if text.hasPrefix("*.") {
                guard Self.isName(text.dropFirst(2)) else { return nil }
                self = .below(String(text.dropFirst()))
            } else {
                let bare = text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : text
                guard IPAddress(bare) != nil || Self.isName(text[...]) else { return nil }
                self = .exact(bare)
            }
        }

        private static func isName(_ text: Substring) -> Bool {
            guard text.utf8.count <= 253, !TargetPolicy.looksLikeAddress(String(text)) else { return false }
            return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
                (1...63).contains(label.utf8.count)
                    && label.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
            }
        }
    }

    public static let patternAllowed = "hosts' names or addresses, *.example.com, or * for any public host"

    /// Any host and address.
    public static let everywhere = TargetPolicy(patterns: nil)

    /// No host at all.
    public static let nowhere = TargetPolicy(patterns: [])

    /// Nil: everywhere.
    private let patterns: [Pattern]?

    private init(patterns: [Pattern]?) {
        self.patterns = patterns
    }

    /// Only these hosts; an empty list allows none. Nil if one of them is not a host or a pattern.
    public init?(allowedHosts: [String]) {
        let patterns = allowedHosts.compactMap { Pattern($0) }
        guard patterns.count == allowedHosts.count else { return nil }
        self.patterns = patterns
    }

    public func verdict(on url: EndpointURL) -> Verdict {
        guard let patterns else { return .allowed }
        var host = url.host
        if host.hasSuffix(".") { host.removeLast() }
        if patterns.contains(.exact(host)) { return .allowed }
        if let address = IPAddress(host) {
            return address.isPublic && patterns.contains(.any) ? .allowed : .forbidden
        }
        // Resolvers read 2130706433, 0x7f.1 and 127.1 as addresses too.
        guard !Self.looksLikeAddress(host), host != "localhost", !host.hasSuffix(".localhost") else {
            return .forbidden
        }
        let isMatched = patterns.contains { pattern in
            switch pattern {
            case .any: true
            case .below(let suffix): host.hasSuffix(suffix)
            case .exact: false
            }
        }
        return isMatched ? .allowedIfPublic : .forbidden
    }

    /// Whether the last label is a number, in any notation. Source: WHATWG URL, "ends in a number".
    private static func looksLikeAddress(_ host: String) -> Bool {
        guard let last = host.split(separator: ".").last else { return true }
        if last.allSatisfy({ $0.isASCII && $0.isNumber }) { return true }
        return last.hasPrefix("0x") && last.dropFirst(2).allSatisfy(\.isHexDigit)
    }
}
