import Crypto

/// One file of `migrations/`: `vNNNN_<name>.sql`.
public struct Migration: Hashable, Sendable {
    public var version: Int32
    public var name: String
    public var text: String
    /// The oldest schema version whose pollers may run on the schema that this migration leaves.
    public var oldest: Int32

    /// SHA-256 of the text in hex.
    public var checksum: String {
        SHA256.hash(data: Array(text.utf8)).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    /// All migrations of this version of Reconciled, in order.
    public static let all: [Migration] = EmbeddedSQL.migrations.map { Migration(file: $0.name, text: $0.text) }

    /// Traps on a file whose name or header is not as documented: that is a mistake in this repository.
    init(file: String, text: String) {
        let parts = file.split(separator: "_", maxSplits: 1)
        let header = text.split(separator: "\n").first { $0.hasPrefix("-- oldest: ") }
        guard parts.count == 2, parts[0].first == "v", let version = Int32(parts[0].dropFirst()),
            let oldest = header.flatMap({ Int32($0.dropFirst("-- oldest: ".count)) })
        else { preconditionFailure("migrations/\(file).sql: not vNNNN_<name>.sql with a line `-- oldest: N`") }
        self.version = version
        name = String(parts[1])
        self.text = text
        self.oldest = oldest
    }
}
