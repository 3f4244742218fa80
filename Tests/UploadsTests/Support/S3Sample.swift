import JSON
import Timeline

@testable import Uploads

/// The session that the fake S3's scripts are about: 12 bytes in parts of 5, 5 and 2.
enum S3Sample {
    static let created = Timestamp("2026-11-23T09:00:00Z")!
    static let text = "hello, world"
    static let sha256 = "09ca7e4eaa6e8ae9c7d261167129184883644d07dfba7cbfbc4c8a2e08360d5b"
    /// MD5s of `hello`, `, wor` and `ld`.
    static let etags = [
        "5d41402abc4b2a76b9719d911017c592", "643d3b3079d03e3f6707e9d57b90dd7e", "946490ad0fdc17b3b899760a445128f0",
    ]
    static let parts = [
        S3Text.part(1, etag: etags[0], bytes: 5), S3Text.part(2, etag: etags[1], bytes: 5),
        S3Text.part(3, etag: etags[2], bytes: 2),
    ]
    static let composite = "909ce955bd5188668b0191809affc873-3"

    static func upload(uploadID: String? = "U1", sha256: String? = nil, name: String = "film.mp4") -> Upload {
        Upload(
            id: "A-1", store: "media", name: name, totalBytes: 12, chunkBytes: 5, chunkCount: 3, sha256: sha256,
            createdAt: created, s3UploadID: uploadID)
    }

    static func work(
        _ record: S3Record = S3Record(), state: JSONValue? = nil, lease: Duration = .seconds(600),
        within limit: Duration = .seconds(60), isLeased: Bool = true
    ) -> StoreWork {
        StoreWork(
            token: 1, deadline: .now + limit, now: { Timestamp("2026-11-23T10:00:00Z")! },
            leaseRemaining: { lease }, state: state,
            checkpoint: { _, state in
                record.note(state)
                return isLeased
            })
    }
}
