/// An absolute http or https URL of someone whom we call, checked where it enters.
public struct EndpointURL: Hashable, Sendable, CustomStringConvertible {
    public static let allowed = "an absolute http or https URL without user, password, fragment or white space"

    /// `https` or `http`.
    public let scheme: String
    /// Lower case, without port and brackets.
    public let host: String
    /// Lower case, with brackets, and with a port that is not the scheme's own.
    public let authority: String
    /// From the first slash on, with the query.
    public let target: String

    /// Nil if the text is not such a URL.
    public init?(_ text: String) {
        guard text.utf8.count <= 4_096, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            !text.contains("#"), !text.contains("\\"), !text.contains("\""), let colon = text.firstIndex(of: ":")
        else { return nil }
        scheme = text[..<colon].lowercased()
        guard scheme == "http" || scheme == "https", text[colon...].hasPrefix("://") else { return nil }
        let rest = text[colon...].dropFirst(3)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.contains("@"), !authority.contains("{"), let host = Self.host(authority) else { return nil }
        let port = scheme == "https" ? ":443" : ":80"
        self.authority = (authority.hasSuffix(port) ? authority.dropLast(port.count) : authority).lowercased()
        self.host = host
        target = String(rest.dropFirst(authority.count))
    }

    public var description: String { "\(scheme)://\(authority)\(target)" }

    /// This machine itself: what travels there needs no TLS to be authentic.
    public var isLoopback: Bool {
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// Whether an answer from there is authenticated by the way it came.
    public var isAuthenticated: Bool { scheme == "https" || isLoopback }

    /// This URL with `path` behind it, one slash between them.
    public func appending(_ path: String) -> String {
        let base = description
        return (base.hasSuffix("/") ? String(base.dropLast()) : base) + (path.hasPrefix("/") ? path : "/" + path)
    }

    private static func host(_ authority: Substring) -> String? {
        let host: Substring
        var port: Substring?
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<end]
            let rest = authority[authority.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            if !rest.isEmpty { port = rest.dropFirst() }
            guard host.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }) else { return nil }
        } else {
            let parts = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            host = parts[0]
            port = parts.count == 2 ? parts[1] : nil
            let isPlain = host.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-._".contains($0)) }
            guard isPlain else { return nil }
        }
        if let port { guard let number = UInt16(port), number > 0 else { return nil } }
        return host.isEmpty ? nil : host.lowercased()
    }
}
