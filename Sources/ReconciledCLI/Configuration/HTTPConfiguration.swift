import Console
import Settings

/// `http`: where metrics and probes are served, and to whom.
struct HTTPConfiguration: Sendable {
    var host = "127.0.0.1"
    /// Nil: 8080, or any free port where another process has it. 0: any free port.
    var port: Int?
    var tokens: [AccessToken] = []

    static let defaultPort = 8_080

    init(reading section: SettingsSection?) throws {
        guard var section else { return }
        host = try section.string("host") ?? host
        port = try section.integer("port", in: 0...65_535)
        tokens = try section.sectionList("tokens").map(Self.token)
        guard !host.isEmpty, !host.contains(where: { $0.isWhitespace || $0 == "/" }) else {
            throw section.error("host", problem: "the value is not a host", allowed: "a host's name or address")
        }
        let names = tokens.map(\.name)
        if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
            throw section.error("tokens", problem: "two tokens are named \"\(twice)\"", allowed: "each name once")
        }
        guard Self.isLoopback(host) || !tokens.isEmpty else {
            throw section.error(
                "host", problem: "\"\(host)\" can be reached from other hosts, and http.tokens is empty",
                allowed: "127.0.0.1, ::1 or localhost; any host with at least one token")
        }
        try section.finish()
    }

    private static func token(_ section: SettingsSection) throws -> AccessToken {
        var section = section
        let name = try section.requiredString("name")
        let role = try section.choice("role", AccessToken.Role.self)
        let token = try section.secret("token")
        guard let role else {
            throw section.error("role", problem: "the key is required", allowed: "viewer, operator, admin")
        }
        guard let token else {
            throw section.error(
                "token", problem: "the key is required", allowed: "token, or tokenFile with the path of a file")
        }
        try section.finish()
        return AccessToken(name: name, role: role, secret: token.value)
    }

    static func isLoopback(_ host: String) -> Bool {
        let octets = host.split(separator: ".", omittingEmptySubsequences: false)
        return host == "localhost" || host == "::1"
            || (octets.count == 4 && octets[0] == "127" && octets.allSatisfy { UInt8($0) != nil })
    }
}
