import Crypto

/// A merge under way: the part that grows, and where it is.
struct MergeState: Sendable {
    let part: OpenFile
    var partName: String
    /// Nil where no digest is expected.
    var hasher: SHA256?
    var position: Int64 = 0
    /// How much of the part a checkpoint names: it is durable, and kept for whoever comes next.
    var notedBytes: Int64 = 0
    /// The chunk that is open.
    var chunk: (index: Int, file: OpenFile, status: OpenFile.Status)?
    /// Whether the kernel copies between these files itself.
    var usesCopyRange = true
}
