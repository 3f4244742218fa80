import Timeline

/// What a settle writes to an upload besides the schedule columns; nil keeps what is there, but for the review's reason
/// and detail, which are written as they are.
public struct UploadChange: Hashable, Sendable {
    public var status: String
    public var receivedChunks: Int?
    /// Compact ranges, e.g. `3,7-9`.
    public var missing: String?
    public var mergedBytes: Int64?
    /// Never moves `last_activity_at` back.
    public var lastActivityAt: Timestamp?
    public var location: String?
    public var etag: String?
    /// Sets `reclaimed_at` to now, and adds to `reclaimed_bytes`.
    public var reclaimedBytes: Int64?
    public var reviewReason: String?
    /// A JSON object as text.
    public var reviewDetail: String?

    public init(
        status: String, receivedChunks: Int? = nil, missing: String? = nil, mergedBytes: Int64? = nil,
        lastActivityAt: Timestamp? = nil, location: String? = nil, etag: String? = nil, reclaimedBytes: Int64? = nil,
        reviewReason: String? = nil, reviewDetail: String? = nil
    ) {
        self.status = status
        self.receivedChunks = receivedChunks
        self.missing = missing
        self.mergedBytes = mergedBytes
        self.lastActivityAt = lastActivityAt
        self.location = location
        self.etag = etag
        self.reclaimedBytes = reclaimedBytes
        self.reviewReason = reviewReason
        self.reviewDetail = reviewDetail
    }
}
