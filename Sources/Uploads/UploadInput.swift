import JSON
import Timeline

/// A session as an application, the CLI or the API hands it in; checked at the edge, so that everything behind it is
/// sound.
public struct UploadInput: Hashable, Sendable {
    /// The fields that a JSON object may have: the columns' names.
    public static let fields = [
        "id", "store", "name", "total_bytes", "chunk_bytes", "chunk_count", "sha256", "status", "expires_at",
        "s3_upload_id", "created_at", "next_check_at", "metadata",
    ]

    public var id: String
    public var store: String
    public var name: String
    public var totalBytes: Int64
    public var chunkBytes: Int64
    public var chunkCount: Int
    /// In lower-case hex.
    public var sha256: String?
    /// `receiving`; everything else is for the watchdog to find out.
    public var status: String
    /// Nil: now.
    public var createdAt: Timestamp?
    public var expiresAt: Timestamp?
    public var s3UploadID: String?
    public var firstCheck: FirstCheck
    /// A JSON object as text.
    public var metadata: String?

    /// Throws `InputError` for the first value that is not allowed.
    ///
    /// - Parameter chunkCount: nil: as many as it takes, the last one no longer than the others.
    public init(
        id: String, store: String, name: String, totalBytes: Int64, chunkBytes: Int64, chunkCount: Int? = nil,
        sha256: String? = nil, status: String = "receiving", createdAt: Timestamp? = nil,
        expiresAt: Timestamp? = nil, s3UploadID: String? = nil, firstCheck: FirstCheck = .byDefault,
        metadata: String? = nil
    ) throws(InputError) {
        self.id = try FieldRules.text("id", id)
        self.store = try FieldRules.lane("store", store, what: "store")
        self.name = try UploadField.name("name", name)
        let plan = try UploadField.plan(totalBytes: totalBytes, chunkBytes: chunkBytes, chunkCount: chunkCount)
        self.totalBytes = plan.totalBytes
        self.chunkBytes = plan.chunkBytes
        self.chunkCount = plan.count
        self.sha256 = if let sha256 { try UploadField.sha256("sha256", sha256) } else { nil }
        self.status = try UploadField.status("status", status)
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.s3UploadID = if let s3UploadID { try UploadField.uploadID("s3_upload_id", s3UploadID) } else { nil }
        self.firstCheck = firstCheck
        self.metadata = metadata
    }

    /// Reads one JSON object with the columns' names; null stands for what a field is when left out, but for
    /// `next_check_at`, where it puts the session to rest. Throws `InputError`.
    public init(json: JSONValue) throws(InputError) {
        let reader = try FieldReader(json, what: "upload", fields: Self.fields)
        let count = try reader.integer(
            "chunk_count", in: 0...Int64(ChunkPlan.countMax), allowed: UploadField.countAllowed)
        try self.init(
            id: try reader.requiredString("id"), store: try reader.requiredString("store"),
            name: try reader.requiredString("name"),
            totalBytes: try reader.requiredInteger(
                "total_bytes", in: 0...Int64.max, allowed: UploadField.totalAllowed),
            chunkBytes: try reader.requiredInteger(
                "chunk_bytes", in: 1...Int64.max, allowed: UploadField.chunkAllowed),
            chunkCount: count.map(Int.init), sha256: try reader.string("sha256"),
            status: try reader.string("status") ?? "receiving", createdAt: try reader.timestamp("created_at"),
            expiresAt: try reader.timestamp("expires_at"), s3UploadID: try reader.string("s3_upload_id"),
            firstCheck: try reader.firstCheck("next_check_at"), metadata: try reader.metadata("metadata"))
    }
}
