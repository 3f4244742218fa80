import Testing
import Timeline

@testable import Uploads

/// The store against OpenStack Swift: it checks the signature of every key, lists parts two by two here, and goes on
/// listing them when the object is made of them. boto3 uploads the parts.
@Suite(.enabled(if: S3Peer.bin != nil, "RECONCILED_TEST_PEERS is not set")) struct S3SwiftTests {
    private func withScene(_ body: (S3Scene) async throws -> Void) async throws {
        try await withS3Peer("swift") { store, peer in try await body(S3Scene(store: store, peer: peer)) }
    }

    @Test func uploadsOfEveryNameAreMergedOnce() async throws {
        try await withScene { scene in
            for (index, name) in [
                "a//b+c d/", "/ü €\u{1F600}~-._", "q?a=b&c#d%20%2F", "quote\"'<>&()!*", "\t\\;:@,=$[]{}^`|",
            ].enumerated() {
                let client = scene.client(name)
                var session = try await S3Scene.session(client, sha256: index.isMultiple(of: 2) ? S3Scene.digest : nil)
                #expect(await scene.run(&session) == ["CHUNKS_WHOLE", "MERGED"], "\(name)")
                #expect(session.upload.status == "complete" && session.dueAt == nil)
                #expect(try await client.ask("get")["body"]?.string == S3Scene.whole, "\(name)")
            }
        }
    }

    /// Its parts are listed still, as whole as ever, and are the object.
    @Test func whatTheApplicationCompletedIsFoundAndLeftAlone() async throws {
        try await withScene { scene in
            let client = scene.client("finished")
            var session = try await S3Scene.session(client)
            let id = try #require(session.upload.s3UploadID)
            #expect(try await client.ask("complete") { $0.add("upload_id", id) }["etag"] != nil)
            #expect(await scene.run(&session) == ["CHUNKS_WHOLE", "MERGED", "RECLAIMED"])
            #expect(session.upload.status == "complete" && session.reclaimedBytes == 0)
            // Of fewer parts than were announced; and one that comes afterwards is stored all the same.
            for (key, late) in [("shorter", false), ("late", true)] {
                let other = scene.client(key)
                var short = try await S3Scene.session(other, parts: [1: S3Scene.bodies[0], 2: S3Scene.bodies[1]])
                let id = try #require(short.upload.s3UploadID)
                #expect(try await other.ask("complete") { $0.add("upload_id", id) }["etag"] != nil)
                if late { try await other.part(3, "toolong", of: id) }
                (short.dueAt, short.upload.lastActivityAt) = (short.now + .seconds(7_200), short.now)
                // With the late part they make another object: what the store alone knows is for humans.
                #expect(await scene.run(&short) == ["EXPIRED", late ? "TARGET_EXISTS" : "RECLAIMED"], "\(key)")
                #expect(short.statuses == ["receiving", "expired"] && short.reclaimedBytes == 0)
                #expect(try await other.ask("get")["body"]?.string == S3Scene.bodies[0] + S3Scene.bodies[1])
            }
            #expect(try await client.ask("get")["body"]?.string == S3Scene.whole)
        }
    }

    @Test func whatIsNotWholeIsAwaitedAndGivenUp() async throws {
        try await withScene { scene in
            let client = scene.client("abandoned")
            var session = try await S3Scene.session(client, parts: [1: S3Scene.bodies[0], 3: "toolong"])
            let id = try #require(session.upload.s3UploadID)
            #expect(await scene.run(&session, count: 1) == ["CHUNKS_MISSING"])
            #expect(session.last?.change?.missing == "2-3" && session.upload.receivedChunks == 1)
            session.dueAt = session.now + .seconds(7_200)
            #expect(await scene.run(&session) == ["EXPIRED", "RECLAIMED"])
            #expect(session.reclaimedBytes == 15)
            #expect(try await client.ask("list") { $0.add("upload_id", id) }["error"]?.string == "NoSuchUpload")

            let taken = scene.client("taken")
            _ = try await taken.ask("put") { $0.add("body", "precious") }
            var late = try await S3Scene.session(taken)
            #expect(await scene.run(&late) == ["CHUNKS_WHOLE", "TARGET_EXISTS"])
            #expect(try await taken.ask("get")["body"]?.string == "precious")
            var wrong = try await S3Scene.session(scene.client("wrong"), sha256: String(S3Scene.digest.reversed()))
            #expect(await scene.run(&wrong) == ["CHUNKS_WHOLE", "DIGEST_MISMATCH"])
        }
    }

    @Test func aWrongSecretKeyIsAConfigurationError() async throws {
        try await withS3Peer("swift", secretKey: "WrongWrongWrong") { store, peer in
            let session = try await S3Scene.session(S3PeerClient(peer: peer, key: "film"))
            let plan = try #require(session.upload.plan)
            let result = await store.inspect(session.upload, plan: plan, work: S3Sample.work())
            guard case .failure(let fault) = result else { Issue.record("\(result)"); return }
            #expect(fault.kind == .misconfigured)
        }
    }
}
