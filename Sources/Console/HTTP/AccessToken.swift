/// A bearer token of the HTTP interface.
public struct AccessToken: Sendable {
    public enum Role: String, CaseIterable, Sendable {
        case viewer, `operator`, admin
    }

    public var name: String
    public var role: Role
    private let secret: [UInt8]

    public init(name: String, role: Role, secret: String) {
        self.name = name
        self.role = role
        self.secret = Array(secret.utf8)
    }

    /// Compares in a time that does not depend on where the two differ, so that a token cannot be guessed byte by byte.
    func matches(_ presented: some Collection<UInt8>) -> Bool {
        let presented = Array(presented)
        var difference = presented.count ^ secret.count
        for (index, byte) in presented.enumerated() {
            difference |= Int(byte ^ secret[index % max(1, secret.count)])
        }
        return difference == 0 && !secret.isEmpty
    }
}
