import JSON

/// What humans need to compare an object with its upload.
struct S3Detail {
    private let session: S3Session
    private let object: S3Client.Object
    private let etag: String?
    /// The object's, where it was read.
    var sha256: String?

    init(_ session: S3Session, _ object: S3Client.Object, etag: String?) {
        self.session = session
        self.object = object
        self.etag = etag
    }

    var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("total_bytes", .number(String(session.plan.totalBytes))),
            .init("target_bytes", .number(String(object.bytes))), .init("target_etag", .string(object.etag)),
        ]
        if let etag {
            members.append(.init("expected_etag", .string(etag)))
        } else {
            members.append(
                .init(
                    "note",
                    .string("The ETag of the upload's object is not known: its parts are gone or their ETags no MD5s."))
            )
        }
        if let expected = session.sha256, let sha256 {
            members += [.init("expected_sha256", .string(expected)), .init("target_sha256", .string(sha256))]
        }
        return .object(members)
    }
}
