import JSON
import Reconciling
import Timeline

/// A row of `reconciled.uploads` as its claim read it: a session whose chunks arrive one by one and become one file.
public struct Upload: Row, Hashable {
    public var id: String
    /// The lane.
    public var store: String
    /// The target: a path below the store's target directory, or an object's key.
    public var name: String
    public var totalBytes: Int64
    /// The size of every chunk but the last.
    public var chunkBytes: Int64
    public var chunkCount: Int
    /// What the whole must hash to, in lower-case hex; nil: unknown.
    public var sha256: String?
    /// `receiving`, `merging`, `complete`, `expired`, `review`; text, for a mapped table may hold others.
    public var status: String
    /// Chunks that were there at the last check.
    public var receivedChunks: Int
    /// Bytes of the target that are written and durable.
    public var mergedBytes: Int64
    public var createdAt: Timestamp
    /// When a chunk arrived last, as far as we saw.
    public var lastActivityAt: Timestamp?
    /// Not before this does an idle session expire. Nil: last activity plus the store's `expireAfter`.
    public var expiresAt: Timestamp?
    /// The multipart upload's id at S3.
    public var s3UploadID: String?
    /// When the chunks went; nil while they may be there.
    public var reclaimedAt: Timestamp?
    public var reviewReason: String?

    public var lane: String { store }

    /// What a merge is made by: where the row says something else meanwhile, what was found out is about another session.
    public var basis: String? { basisObject.text }

    var basisObject: JSONObjectText {
        var object = JSONObjectText()
        object.add("store", store)
        object.add("name", name)
        object.add("total_bytes", totalBytes)
        object.add("chunk_bytes", chunkBytes)
        object.add("chunk_count", Int64(chunkCount))
        object.add("sha256", json: sha256.map { .string($0) } ?? .null)
        object.add("s3_upload_id", json: s3UploadID.map { .string($0) } ?? .null)
        return object
    }

    public init(
        id: String, store: String, name: String, totalBytes: Int64, chunkBytes: Int64, chunkCount: Int,
        sha256: String? = nil, status: String = "receiving", receivedChunks: Int = 0, mergedBytes: Int64 = 0,
        createdAt: Timestamp, lastActivityAt: Timestamp? = nil, expiresAt: Timestamp? = nil,
        s3UploadID: String? = nil, reclaimedAt: Timestamp? = nil, reviewReason: String? = nil
    ) {
        self.id = id
        self.store = store
        self.name = name
        self.totalBytes = totalBytes
        self.chunkBytes = chunkBytes
        self.chunkCount = chunkCount
        self.sha256 = sha256
        self.status = status
        self.receivedChunks = receivedChunks
        self.mergedBytes = mergedBytes
        self.createdAt = createdAt
        self.lastActivityAt = lastActivityAt
        self.expiresAt = expiresAt
        self.s3UploadID = s3UploadID
        self.reclaimedAt = reclaimedAt
        self.reviewReason = reviewReason
    }
}
