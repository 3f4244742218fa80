import JSON

/// What is noted before something is done that cannot be taken back.
struct S3MergeNote: Hashable, Sendable {
    var uploadID: String
    /// Of the object that Complete makes; nil if its parts do not tell.
    var etag: String?
    /// The look of the parts that the store refused to put together, if it did.
    var refused: String?
    /// What the parts to be aborted occupied; nil: Complete is what was to be sent.
    var discardedBytes: Int64?

    init(_ session: S3Session, etag: String? = nil, discardedBytes: Int64? = nil) {
        uploadID = session.uploadID
        self.etag = etag
        self.discardedBytes = discardedBytes
    }

    /// Nil if nothing was noted, or for another multipart upload than the session's.
    init?(_ json: JSONValue?, of session: S3Session) {
        guard let json, json["upload_id"]?.string == session.uploadID else { return nil }
        uploadID = session.uploadID
        etag = json["etag"]?.string
        refused = json["refused"]?.string
        discardedBytes = json["discarded_bytes"]?.integer
    }

    var json: JSONValue {
        var members = [JSONValue.Member("upload_id", .string(uploadID))]
        if let etag { members.append(.init("etag", .string(etag))) }
        if let refused { members.append(.init("refused", .string(refused))) }
        if let discardedBytes { members.append(.init("discarded_bytes", .number(String(discardedBytes)))) }
        return .object(members)
    }
}
