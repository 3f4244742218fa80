import JSON

/// What of a timer may be a secret, and is not for everyone who may read rows: what its call carries to its target. A key in a
/// query, in a body and in a header of whatever name are as common as one in `authorization`. The path is shown: without
/// it nobody can tell what is called.
public enum TimerSecrets {
    private static let mark = "…"

    /// The row with a mark in the place of the body, each header's value, each value of the URL's query, and who signs
    /// in there.
    public static func redacted(_ row: JSONValue) -> JSONValue {
        guard case .object(let members) = row else { return row }
        return .object(
            members.map { member in
                switch (member.name, member.value) {
                case ("url", .string(let url)): JSONValue.Member(member.name, .string(redacted(url: url)))
                case ("headers", .object(let headers)):
                    JSONValue.Member(
                        member.name, .object(headers.map { JSONValue.Member($0.name, .string(mark)) }))
                case ("body", .string): JSONValue.Member(member.name, .string(mark))
                default: member
                }
            })
    }

    /// A URL that was checked has neither user nor fragment; one that was inserted by SQL may.
    static func redacted(url: String) -> String {
        guard url.utf8.allSatisfy({ $0 < 0x80 }) else { return mark }
        let address = url.prefix { $0 != "#" }
        let fragment = address.endIndex == url.endIndex ? "" : "#\(mark)"
        let parts = address.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let target = withoutUser(parts[0])
        guard parts.count == 2 else { return target + fragment }
        let query = parts[1].split(separator: "&", omittingEmptySubsequences: false).map { parameter -> String in
            guard let equals = parameter.firstIndex(of: "=") else { return parameter.isEmpty ? "" : mark }
            return "\(parameter[...equals])\(mark)"
        }
        return "\(target)?\(query.joined(separator: "&"))\(fragment)"
    }

    private static func withoutUser(_ target: Substring) -> String {
        guard let scheme = target.firstRange(of: "://") else { return String(target) }
        let rest = target[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" }
        let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        guard isHost(host) else {
            // A password with a slash in it, or with a question mark or #, behind which nothing is left here.
            return "\(target[..<scheme.upperBound])\(mark)\(rest[(rest.lastIndex(of: "@") ?? rest.endIndex)...])"
        }
        guard let at = authority.lastIndex(of: "@") else { return String(target) }
        return "\(target[..<scheme.upperBound])\(mark)\(target[at...])"
    }

    /// Whether nothing but a port follows a colon, besides those of an IPv6 address.
    private static func isHost(_ authority: Substring) -> Bool {
        guard !authority.hasSuffix("]"), let colon = authority.lastIndex(of: ":") else { return true }
        let port = authority[authority.index(after: colon)...]
        return port.count <= 5 && port.allSatisfy { ("0"..."9").contains($0) }
    }
}
