import Crypto

/// A bearer token of the HTTP interface. Only its digest is kept.
public struct AccessToken: Sendable {
    public enum Role: String, CaseIterable, Comparable, Sendable {
        /// Reads.
        case viewer
        /// Also acts on what is there: nudge, resolve, pause, resume.
        case `operator`
        /// Also adds and removes rows.
        case admin

        public static func < (left: Role, right: Role) -> Bool { left.rank < right.rank }

        private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    public var name: String
    public var role: Role
    private let digest: SHA256Digest

    public init(name: String, role: Role, secret: String) {
        self.name = name
        self.role = role
        digest = SHA256.hash(data: Array(secret.utf8))
    }

    /// Digests are compared, in a time that does not depend on where they differ: a token cannot be guessed byte by byte.
    func matches(_ presented: SHA256Digest) -> Bool { digest == presented }

    /// A key for one purpose, which only who knows the secret can derive.
    func derivedKey(_ purpose: String) -> SymmetricKey {
        SymmetricKey(
            data: HMAC<SHA256>.authenticationCode(
                for: Array("reconciled \(purpose)".utf8), using: SymmetricKey(data: Array(digest))))
    }
}
