import CLibpq

/// A connection string taken apart: for each host to try, libpq's keywords and values.
struct ConnectionTarget {
    let attempts: [[String: String]]
    private let secrets: [String]

    init(_ configuration: PostgresConfiguration) throws(PostgresError) {
        let options = try Self.parse(configuration.url)
        secrets = ["password", "sslpassword"].compactMap { options[$0] }.filter { $0.count > 3 }
        // A dead peer is noticed within about 20 s even when its host vanished without a word.
        let defaults = [
            "keepalives": "1", "keepalives_idle": "10", "keepalives_interval": "3", "keepalives_count": "3",
            "tcp_user_timeout": "20000",
        ]
        var base = defaults.merging(options) { _, given in given }
        base["application_name"] = configuration.applicationName
        base["client_encoding"] = "UTF8"
        attempts = Self.attempts(base)
    }

    /// libpq counts `connect_timeout` per host only in its blocking call, so that each host is an attempt of ours.
    private static func attempts(_ base: [String: String]) -> [[String: String]] {
        func list(_ key: String) -> [String] {
            base[key].map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) } ?? []
        }
        let (hosts, addresses, ports) = (list("host"), list("hostaddr"), list("port"))
        let count = max(hosts.count, addresses.count)
        let isRagged =
            [hosts, addresses].contains { !$0.isEmpty && $0.count != count } || ![0, 1, count].contains(ports.count)
        // prefer-standby takes two rounds over the hosts: libpq's to do. A ragged list is libpq's to refuse.
        guard count > 1, !isRagged, base["target_session_attrs"] != "prefer-standby" else { return [base] }
        return (0..<count).map { index in
            var attempt = base
            if !hosts.isEmpty { attempt["host"] = hosts[index] }
            if !addresses.isEmpty { attempt["hostaddr"] = addresses[index] }
            if ports.count > 1 { attempt["port"] = ports[index] }
            if attempt["target_session_attrs"] == nil { attempt["target_session_attrs"] = "read-write" }
            return attempt
        }
    }

    private static func parse(_ url: String) throws(PostgresError) -> [String: String] {
        guard !url.utf8.contains(0) else { throw malformed("it holds a NUL byte") }
        var problem: UnsafeMutablePointer<CChar>?
        guard let options = unsafe PQconninfoParse(url, &problem) else {
            // libpq quotes what it could not read, which may be a piece of the password.
            unsafe PQfreemem(problem)
            throw malformed("libpq cannot read it; special characters in a password are percent-encoded in a URI")
        }
        defer { unsafe PQconninfoFree(options) }
        var values: [String: String] = [:]
        var next = unsafe options
        while let keyword = unsafe next.pointee.keyword {
            if let value = unsafe next.pointee.val { unsafe values[String(cString: keyword)] = String(cString: value) }
            unsafe next += 1
        }
        // A password with a bare `@` or `/` ends up in these; they must not reach an error message.
        if values["host"]?.contains("@") == true { throw malformed("a host holds `@`; in a password write it as %40") }
        if let port = values["port"], port.contains(where: { !$0.isASCII || !($0.isNumber || $0 == ",") }) {
            throw malformed("a port is not a number; in a password write `/` as %2F")
        }
        return values
    }

    private static func malformed(_ why: String) -> PostgresError {
        PostgresError(.configuration, message: "the database's connection string is malformed: \(why)")
    }

    /// `text` without any secret of this target.
    func redacted(_ text: String) -> String {
        secrets.reduce(text) { text, secret in
            text.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "***")
        }
    }
}
