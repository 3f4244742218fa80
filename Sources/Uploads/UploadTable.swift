import Postgres
import PostgresStore
import Reconciling
import Schema
import Timeline

/// Binds uploads to `reconciled.uploads`.
public enum UploadTable: WatchTable {
    /// What the store's configuration says: how long until it expires again, how long its chunks are kept.
    public typealias Resolution = UploadPolicy

    public static let watch = "uploads"
    public static let claim = Statement.sql("claim_uploads")
    public static let due = Statement.sql("due_uploads")
    public static let settle = Statement.sql("settle_uploads")
    public static let comparesBasis = true
    public static let renew = Statement.sql("renew_uploads")
    public static let handBack = Statement.sql("hand_back_uploads")
    public static let journal = Statement.sql("journal_uploads")
    public static let desk = DeskStatements(rows: "uploads", row: "upload")

    public static func readClaim(
        lane: String, claimedAt: Timestamp, from row: inout PostgresRowReader
    ) throws(PostgresError) -> Claim<Upload> {
        let upload = Upload(
            id: try row.read(), store: lane, name: try row.read(), totalBytes: try row.read(),
            chunkBytes: try row.read(), chunkCount: try row.read(), sha256: try row.readOptional(),
            status: try row.read(), receivedChunks: try row.read(), mergedBytes: try row.read(),
            createdAt: try row.read(), lastActivityAt: try row.readOptional(), expiresAt: try row.readOptional(),
            s3UploadID: try row.readOptional(), reclaimedAt: try row.readOptional(),
            reviewReason: try row.readOptional())
        return Claim(
            row: upload, lease: Lease(token: try row.read()), dueAt: try row.readOptional(), claimedAt: claimedAt,
            cadenceAnchor: upload.lastActivityAt ?? upload.createdAt, checkCount: try row.read(),
            failureCount: try row.read(), claimCount: try row.read(), progress: try row.readOptional())
    }

    public static func parameters(for changes: [UploadChange?]) -> [PostgresParameter] {
        [
            .boolArray(changes.map { $0 != nil }),
            .textArray(changes.map { $0?.status }),
            .int4Array(changes.map { $0?.receivedChunks.map { Int32(clamping: $0) } }),
            .textArray(changes.map { $0?.missing }),
            .int8Array(changes.map { $0?.mergedBytes }),
            .timestamptzArray(changes.map { $0?.lastActivityAt }),
            .textArray(changes.map { $0?.location }),
            .textArray(changes.map { $0?.etag }),
            .int8Array(changes.map { $0?.reclaimedBytes }),
            .textArray(changes.map { $0?.reviewReason }),
            .jsonbArray(changes.map { $0?.reviewDetail }),
        ]
    }

    public static func parameters(for resolution: UploadPolicy) -> [PostgresParameter] {
        [.interval(resolution.expireAfter), .interval(resolution.reclaimAfter)]
    }
}
