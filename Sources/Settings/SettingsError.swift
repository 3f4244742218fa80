/// A configuration that cannot be used: names where it stands, the key, what is wrong and what is allowed.
///
/// Never holds a secret's value.
public struct SettingsError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file's name or the environment variable's, where one of them is to blame.
    public var origin: String?
    /// The key's whole path: `gateways.acme.timeout`; empty for the document itself.
    public var key: String
    /// In the file, from 1.
    public var line: Int?
    public var problem: String
    public var allowed: String

    public init(key: String, line: Int?, problem: String, allowed: String) {
        self.init(origin: nil, key: key, line: line, problem: problem, allowed: allowed)
    }

    init(origin: String?, key: String, line: Int?, problem: String, allowed: String) {
        self.origin = origin
        self.key = key
        self.line = line
        self.problem = problem
        self.allowed = allowed
    }

    /// `reconciled.yaml:12: gateways.acme.timeout: "10 parsecs" is not a duration; allowed: …`, in one line.
    public var description: String {
        var text = ""
        if let origin {
            text += line.map { "\(origin):\($0): " } ?? "\(origin): "
        } else if let line {
            text += "line \(line): "
        }
        if !key.isEmpty { text += "\(key): " }
        text += problem
        if !allowed.isEmpty { text += "; allowed: \(allowed)" }
        return text
    }
}
