import Outgoing

/// Where a bucket's objects are.
struct S3Address: Hashable, Sendable {
    /// The header `host`, with a port that is not the scheme's own: it is signed as it is sent.
    let host: String
    private let scheme: String
    /// Before the key, ending with a slash.
    private let root: String

    init(_ settings: StoreConfiguration.S3) {
        let endpoint = settings.endpoint
        let base = endpoint.target.hasSuffix("/") ? String(endpoint.target.dropLast()) : endpoint.target
        scheme = endpoint.scheme
        switch settings.addressing {
        case .path:
            host = endpoint.authority
            root = "\(base)/\(PercentEncoding.segment(settings.bucket))/"
        case .virtual:
            host = "\(settings.bucket).\(endpoint.authority)"
            root = base + "/"
        }
    }

    /// The path of an object: each byte of the key encoded once, its slashes kept, none added and none taken away.
    func path(_ key: String) -> String {
        root
            + key.split(separator: "/", omittingEmptySubsequences: false).map { PercentEncoding.segment(String($0)) }
            .joined(separator: "/")
    }

    func url(path: String, query: String = "") -> String {
        "\(scheme)://\(host)\(path)" + (query.isEmpty ? "" : "?" + query)
    }

    /// What is wrong with a key, nil if it names an object and nothing else, also through a proxy that resolves dots.
    static func problem(of key: String) -> String? {
        if key.isEmpty { return "the name is empty" }
        if key.utf8.count > 1_024 { return "the name is longer than 1024 bytes" }
        if key.utf8.contains(0) { return "the name contains NUL" }
        if key.split(separator: "/").contains(where: { $0 == "." || $0 == ".." }) {
            return "the name has a part \".\" or \"..\""
        }
        return nil
    }
}
