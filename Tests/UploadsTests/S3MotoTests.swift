import JSON
import Testing
import Timeline

@testable import Uploads

/// The store against moto, an S3 server that is not ours and checks every signature; boto3 uploads the parts.
@Suite(.enabled(if: S3Peer.bin != nil, "RECONCILED_TEST_PEERS is not set")) struct S3MotoTests {
    // moto is told that parts of 8 bytes are large enough.
    private static let bodies = ["hello, w", "orld! he", "llo"]
    private static let whole = bodies.joined()

    private static func upload(_ key: String, _ id: String, sha256: String? = nil) -> Upload {
        Upload(
            id: "A-1", store: "media", name: key, totalBytes: 19, chunkBytes: 8, chunkCount: 3, sha256: sha256,
            createdAt: S3Sample.created, s3UploadID: id)
    }

    /// moto checks signatures where a key is its own percent-encoding; for the others there is botocore.
    @Test(arguments: [
        ("moto", ["film.mp4", "a/b/c", "a//b", "/lead", "trail/", "~-._"]),
        (
            "moto-unchecked",
            ["ü €\u{1F600}", "plus+and space", "q?a=b&c#d%20", "quote\"'<>&()!*", "e\u{301}", "a//b+/"]
        ),
    ])
    func uploadsOfEveryNameAreMergedOnce(mode: String, names: [String]) async throws {
        try await withS3Peer(mode) { store, peer in
            for name in names {
                let client = S3PeerClient(peer: peer, key: name)
                let id = try await client.begin()
                for (index, body) in Self.bodies.enumerated() { try await client.part(index + 1, body, of: id) }
                let upload = Self.upload(name, id)
                let plan = try #require(upload.plan)
                let record = S3Record()
                let inventory = try await store.inspect(upload, plan: plan, work: S3Sample.work(record)).get()
                #expect(inventory.received == 3, "\(name)")
                #expect(inventory.receivedBytes == 19)
                let outcome = await store.merge(upload, plan: plan, work: S3Sample.work(record))
                guard case .published(let publication) = outcome else { Issue.record("\(name): \(outcome)"); continue }
                #expect(publication.etag == record.noted?["etag"]?.string)
                #expect(try await client.ask("get")["body"]?.string == Self.whole, "\(name)")
                // A successor, the answer lost.
                let again = await store.merge(
                    upload, plan: plan, work: S3Sample.work(record, state: record.noted))
                #expect(again == outcome, "\(name)")
            }
        }
    }

    @Test func digestsAreReadOffTheObject() async throws {
        let right = "20d7378628b8634b413544883512a907ee474fceb5fe7c61f0c76f2d0b625080"
        let wrong = String(right.reversed())
        try await withS3Peer { store, peer in
            for digest in [right, wrong] {
                let client = S3PeerClient(peer: peer, key: digest)
                let id = try await client.begin()
                for (index, body) in Self.bodies.enumerated() { try await client.part(index + 1, body, of: id) }
                let upload = Self.upload(digest, id, sha256: digest)
                let plan = try #require(upload.plan)
                switch await store.merge(upload, plan: plan, work: S3Sample.work()) {
                case .published: #expect(digest == right)
                case .digestMismatch(let detail):
                    #expect(digest == wrong)
                    #expect(detail["target_sha256"]?.string == right)
                case let outcome: Issue.record("\(outcome)")
                }
            }
        }
    }

    @Test func aTargetIsNeverOverwritten() async throws {
        try await withS3Peer { store, peer in
            let client = S3PeerClient(peer: peer, key: "taken")
            _ = try await client.ask("put") { $0.add("body", "precious") }
            let id = try await client.begin()
            for (index, body) in Self.bodies.enumerated() { try await client.part(index + 1, body, of: id) }
            let upload = Self.upload("taken", id)
            let plan = try #require(upload.plan)
            let outcome = await store.merge(upload, plan: plan, work: S3Sample.work())
            guard case .targetExists = outcome else { Issue.record("\(outcome)"); return }
            #expect(try await client.ask("get")["body"]?.string == "precious")
        }
    }

    @Test func missingPartsWaitAndAreGivenUp() async throws {
        try await withS3Peer { store, peer in
            let client = S3PeerClient(peer: peer, key: "partial")
            let id = try await client.begin()
            let upload = Self.upload("partial", id)
            let plan = try #require(upload.plan)
            #expect(
                try await store.inspect(upload, plan: plan, work: S3Sample.work()).get().missing.description == "1-3")
            try await client.part(1, Self.bodies[0], of: id)
            try await client.part(3, "toolong", of: id)
            let inventory = try await store.inspect(upload, plan: plan, work: S3Sample.work()).get()
            #expect(inventory.missing.description == "2-3")
            #expect(inventory.oddities == [.init(number: 3, kind: .oversize, bytes: 7)])
            #expect(await store.merge(upload, plan: plan, work: S3Sample.work()) == .chunksChanged)
            #expect(try await store.proof(upload, plan: plan, work: S3Sample.work()).get() == .incomplete)
            let discarded = try await store.discard(upload, plan: plan, work: S3Sample.work()).get()
            #expect(discarded == Discarded(bytes: 15, isKept: false))
            #expect(try await store.inspect(upload, plan: plan, work: S3Sample.work()).get().isSessionGone)
            #expect(try await client.ask("list") { $0.add("upload_id", id) }["error"]?.string == "NoSuchUpload")
        }
    }

    @Test func partsThatAreTooSmallAreForHumans() async throws {
        try await withS3Peer { store, peer in
            let client = S3PeerClient(peer: peer, key: "small")
            let id = try await client.begin()
            for (index, body) in ["abc", "def", "g"].enumerated() { try await client.part(index + 1, body, of: id) }
            var upload = Self.upload("small", id)
            (upload.totalBytes, upload.chunkBytes) = (7, 3)
            let plan = try #require(upload.plan)
            let outcome = await store.merge(upload, plan: plan, work: S3Sample.work())
            guard case .fault(let fault) = outcome else { Issue.record("\(outcome)"); return }
            #expect(fault.kind == .invalid(reason: "PART_TOO_SMALL"))
        }
    }

    @Test func aWrongSecretKeyIsAConfigurationErrorWithoutTheKey() async throws {
        try await withS3Peer(secretKey: "WrongWrongWrong") { store, peer in
            let upload = Self.upload("film.mp4", "x")
            let result = await store.inspect(upload, plan: try #require(upload.plan), work: S3Sample.work())
            guard case .failure(let fault) = result else { Issue.record("\(result)"); return }
            #expect(fault.kind == .misconfigured)
            #expect(fault.problem.contains("SignatureDoesNotMatch"))
            #expect(!fault.problem.contains("WrongWrong"))
        }
    }

    @Test func aMissingBucketIsAConfigurationError() async throws {
        try await withS3Peer(bucket: "elsewhere") { store, peer in
            let upload = Self.upload("film.mp4", "x")
            let result = await store.inspect(upload, plan: try #require(upload.plan), work: S3Sample.work())
            guard case .failure(let fault) = result else { Issue.record("\(result)"); return }
            #expect(fault.kind == .misconfigured)
        }
    }
}
