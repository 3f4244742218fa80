/// How a file is cut into chunks: all of `chunkBytes`, but for the last, which takes the rest.
///
/// Whoever registers the session says how many chunks there are, so both customs fit: a short last chunk, and one of up
/// to twice the size (resumable.js: `max(floor(total / chunk), 1)` chunks).
public struct ChunkPlan: Hashable, Sendable {
    public static let countMax = 1_000_000

    public let totalBytes: Int64
    public let chunkBytes: Int64
    public let count: Int
    public let lastChunkBytes: Int64

    /// Nil if such chunks cannot make up such a file. An empty file is no chunk, or one without a byte.
    public init?(totalBytes: Int64, chunkBytes: Int64, count: Int) {
        guard totalBytes >= 0, chunkBytes > 0, (0...Self.countMax).contains(count) else {
            return nil
        }
        self.totalBytes = totalBytes
        self.chunkBytes = chunkBytes
        self.count = count
        guard totalBytes > 0 else {
            guard count <= 1 else { return nil }
            lastChunkBytes = 0
            return
        }
        guard count > 0 else { return nil }
        let (before, overflows) = Int64(count - 1).multipliedReportingOverflow(by: chunkBytes)
        guard !overflows, before < totalBytes, totalBytes - before - chunkBytes < chunkBytes else { return nil }
        lastChunkBytes = totalBytes - before
    }

    /// The size of a chunk.
    ///
    /// - Parameter index: from 0.
    public func bytes(at index: Int) -> Int64 { index == count - 1 ? lastChunkBytes : chunkBytes }

    /// Where a chunk starts in the file.
    public func offset(of index: Int) -> Int64 { Int64(index) * chunkBytes }
}

extension Upload {
    /// Nil if the row's numbers do not fit each other.
    public var plan: ChunkPlan? { ChunkPlan(totalBytes: totalBytes, chunkBytes: chunkBytes, count: chunkCount) }
}
