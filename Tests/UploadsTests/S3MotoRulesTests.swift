import JSON
import Reconciling
import Testing
import Timeline

@testable import Uploads

/// Every row of the decision table with moto, which checks the signature of each call and keeps real parts.
@Suite(.enabled(if: S3Peer.bin != nil, "RECONCILED_TEST_PEERS is not set")) struct S3MotoRulesTests {
    private func withScene(_ body: (S3Scene) async throws -> Void) async throws {
        try await withS3Peer { store, peer in try await body(S3Scene(store: store, peer: peer)) }
    }

    @Test func partsAreAwaitedMergedAndNothingIsLeft() async throws {
        try await withScene { scene in
            for digest in [nil, S3Scene.digest] {
                let client = scene.client("film-\(digest ?? "")")
                var session = try await S3Scene.session(
                    client, parts: [1: S3Scene.bodies[0], 3: "toolong"], sha256: digest)
                #expect(await scene.run(&session, count: 1) == ["CHUNKS_MISSING"])
                #expect(session.last?.change?.missing == "2-3" && session.upload.receivedChunks == 1)
                #expect(session.last?.change?.reviewDetail?.contains("oversize") == true)
                let id = try #require(session.upload.s3UploadID)
                for number in [2, 3] { try await client.part(number, S3Scene.bodies[number - 1], of: id) }
                #expect(await scene.run(&session) == ["CHUNKS_WHOLE", "MERGED"])
                #expect(session.statuses == ["receiving", "merging", "complete"])
                #expect(try await client.ask("get")["body"]?.string == S3Scene.whole)
            }
        }
    }

    @Test func aMergeWhoseWorkerDiedOnEitherSideOfCompleteIsFinished() async throws {
        try await withScene { scene in
            for isSent in [false, true] {
                var session = try await S3Scene.session(scene.client("film-\(isSent)"), status: "merging")
                // What the dead one noted, and perhaps sent.
                let record = S3Record()
                let plan = try #require(session.upload.plan)
                let work = S3Sample.work(record, isLeased: isSent)
                let outcome = await scene.store.merge(session.upload, plan: plan, work: work)
                if isSent {
                    guard case .published = outcome else { Issue.record("\(outcome)"); return }
                } else {
                    #expect(outcome == .interrupted)
                }
                session.progress = UploadProgress(state: record.noted).json
                #expect(await scene.run(&session) == ["MERGED"])
                #expect(session.upload.status == "complete" && session.dueAt == nil)
                #expect(try await scene.client("film-\(isSent)").ask("get")["body"]?.string == S3Scene.whole)
            }
        }
    }

    @Test func aWrongDigestGoesToPeople() async throws {
        try await withScene { scene in
            let wrong = String(S3Scene.digest.reversed())
            var session = try await S3Scene.session(scene.client("film"), sha256: wrong)
            #expect(await scene.run(&session) == ["CHUNKS_WHOLE", "DIGEST_MISMATCH"])
            #expect(session.upload.status == "review" && session.upload.reviewReason == "DIGEST_MISMATCH")
        }
    }

    @Test func aTargetThatIsThereIsComparedAndKept() async throws {
        try await withScene { scene in
            for (index, (content, sha256, reason)) in [
                ("precious", nil, "TARGET_EXISTS"), ("nineteen bytes long", nil, "TARGET_EXISTS"),
                ("nineteen bytes long", S3Scene.digest, "TARGET_EXISTS"), (S3Scene.whole, S3Scene.digest, "MERGED"),
            ].enumerated() {
                let client = scene.client("taken-\(index)")
                _ = try await client.ask("put") { $0.add("body", content) }
                var session = try await S3Scene.session(client, sha256: sha256)
                let id = try #require(session.upload.s3UploadID)
                let isRight = reason == "MERGED"
                #expect(
                    await scene.run(&session) == ["CHUNKS_WHOLE", reason] + (isRight ? ["RECLAIMED"] : []),
                    "\(client.key)")
                #expect(session.upload.status == (isRight ? "complete" : "review"))
                // The parts that nobody needs are gone, and the object is as it was.
                let listing = try await client.ask("list") { $0.add("upload_id", id) }
                #expect(listing["error"]?.string == (isRight ? "NoSuchUpload" : nil))
                #expect(session.reclaimedBytes == (isRight ? 19 : 0))
                #expect(try await client.ask("get")["body"]?.string == content)
            }
        }
    }

    @Test func anIdleSessionIsAbortedOnlyIfItIsNotComplete() async throws {
        try await withScene { scene in
            let client = scene.client("abandoned")
            var session = try await S3Scene.session(client, parts: [1: S3Scene.bodies[0], 2: S3Scene.bodies[1]])
            let id = try #require(session.upload.s3UploadID)
            let reasons = await scene.run(&session, count: 1_000)
            #expect(reasons.suffix(2) == ["EXPIRED", "RECLAIMED"])
            #expect(reasons.dropLast(2).allSatisfy { $0 == "CHUNKS_MISSING" })
            #expect(session.statuses == ["receiving", "expired"] && session.reclaimedBytes == 16)
            #expect(try await client.ask("list") { $0.add("upload_id", id) }["error"]?.string == "NoSuchUpload")

            // The application completed it itself, and nobody told us.
            let other = scene.client("finished")
            var finished = try await S3Scene.session(other, sha256: S3Scene.digest)
            let work = S3Sample.work()
            guard
                case .published = await scene.store.merge(
                    finished.upload, plan: finished.upload.plan!, work: work)
            else { Issue.record("not published"); return }
            finished.dueAt = finished.now + .seconds(7_200)
            #expect(await scene.run(&finished) == ["FOUND_COMPLETE"])
            #expect(finished.upload.status == "complete")
            #expect(try await other.ask("get")["body"]?.string == S3Scene.whole)
        }
    }

    @Test func whatSomeoneElseDecidedIsProvedBeforeAnythingGoes() async throws {
        try await withScene { scene in
            var cancelled = try await S3Scene.session(
                scene.client("cancelled"), parts: [1: S3Scene.bodies[0]], status: "expired")
            #expect(await scene.run(&cancelled) == ["EXPIRED", "RECLAIMED"])
            #expect(cancelled.reclaimedBytes == 8 && cancelled.upload.status == "expired")
            var claimed = try await S3Scene.session(
                scene.client("claimed"), parts: [1: S3Scene.bodies[0]], status: "complete")
            #expect(await scene.run(&claimed) == ["TARGET_MISSING"])
            #expect(claimed.upload.status == "complete" && claimed.upload.reviewReason == "TARGET_MISSING")
            let id = try #require(claimed.upload.s3UploadID)
            #expect(try await scene.client("claimed").ask("list") { $0.add("upload_id", id) }["count"]?.integer == 1)
        }
    }

    @Test func aReviewThatWasMendedAndNudgedIsComplete() async throws {
        try await withScene { scene in
            let client = scene.client("film")
            _ = try await client.ask("put") { $0.add("body", "in the way") }
            var session = try await S3Scene.session(client)
            #expect(await scene.run(&session) == ["CHUNKS_WHOLE", "TARGET_EXISTS"])
            session.dueAt = session.now
            #expect(await scene.run(&session) == ["TARGET_EXISTS"])
            _ = try await client.ask("delete")
            session.dueAt = session.now
            #expect(await scene.run(&session) == ["MERGED"])
            #expect(session.upload.status == "complete" && session.upload.reviewReason == nil)
            #expect(try await client.ask("get")["body"]?.string == S3Scene.whole)
        }
    }
}
