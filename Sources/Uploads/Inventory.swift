import Timeline

/// What of an upload has arrived, as its store shows it. No chunk was read for it.
public struct Inventory: Hashable, Sendable {
    /// Chunks that are there whole.
    public var received: Int
    public var receivedBytes: Int64
    /// Those that are not, by the numbers that the store's clients use (from `firstIndex`; S3: part numbers).
    public var missing: ChunkRanges
    /// What is wrong with single chunks; a short, oversize or duplicate one counts as missing too.
    public var oddities: [ChunkOddity]
    /// When a chunk arrived or changed last.
    public var lastActivityAt: Timestamp?
    /// How long everything has been unchanged by the store's own clock; zero if that cannot be told (a clock that is
    /// ahead of ours): then two looks with equal fingerprints tell.
    public var quietFor: Duration
    /// Differs as soon as any chunk does.
    public var fingerprint: String
    /// Something stands at the target's place, of this size.
    public var targetBytes: Int64?
    /// The store no longer knows the session (S3: `NoSuchUpload`): it was completed or aborted by someone.
    public var isSessionGone: Bool
    /// What is in the place of the session's directory or data file, so that nothing can be found there; for people.
    public var obstacle: String?

    public init(
        received: Int, receivedBytes: Int64, missing: ChunkRanges = ChunkRanges(), oddities: [ChunkOddity] = [],
        lastActivityAt: Timestamp? = nil, quietFor: Duration = .zero, fingerprint: String = "",
        targetBytes: Int64? = nil, isSessionGone: Bool = false, obstacle: String? = nil
    ) {
        self.received = received
        self.receivedBytes = receivedBytes
        self.missing = missing
        self.oddities = oddities
        self.lastActivityAt = lastActivityAt
        self.quietFor = quietFor
        self.fingerprint = fingerprint
        self.targetBytes = targetBytes
        self.isSessionGone = isSessionGone
        self.obstacle = obstacle
    }
}

/// One chunk that is not as it should be.
public struct ChunkOddity: Hashable, Sendable {
    public enum Kind: String, Sendable {
        case short, oversize
        /// Two files (or parts) claim the same number.
        case duplicate
        /// A number beyond the last chunk's.
        case extra
        /// A directory, a symbolic link, a device, a pipe.
        case notAFile = "not_a_file"
        /// It is not there, but a file is whose number is padded with zeros.
        case misnamed
    }

    /// By the numbers that the store's clients use.
    public var number: Int
    public var kind: Kind
    public var bytes: Int64?

    public init(number: Int, kind: Kind, bytes: Int64? = nil) {
        self.number = number
        self.kind = kind
        self.bytes = bytes
    }
}
