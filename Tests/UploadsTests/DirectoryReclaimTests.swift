import Foundation
import JSON
import Testing
import Timeline

@testable import Uploads

/// What is freed when a session is over, and what is not.
@Suite struct DirectoryReclaimTests {
    private static let content = DirectoryScene.content(900)
    private static let pattern = "{name}_{index}"

    private func setTime(_ seconds: Int, of file: URL) {
        let times = [timespec(tv_sec: seconds, tv_nsec: 0), timespec(tv_sec: seconds, tv_nsec: 0)]
        #expect(unsafe utimensat(AT_FDCWD, file.path, times, 0) == 0)
    }

    private func reclaim(_ scene: DirectoryScene, _ upload: Upload, _ state: JSONValue?) async throws -> Int64 {
        try await scene.store.reclaim(upload, plan: upload.plan!, work: scene.work(state: state)).get()
    }

    private func exists(_ scene: DirectoryScene, _ path: String) -> Bool {
        FileManager.default.fileExists(atPath: scene.chunk(path).path)
    }

    private static func now() -> Timestamp {
        var clock = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &clock)
        return Timestamp(microseconds: Int64(clock.tv_sec) * 1_000_000 + Int64(clock.tv_nsec) / 1_000)
    }

    /// Its client, or its backup, gave a chunk a time to come; the session's next of the same name has begun already.
    @Test func aChunkFromTheFutureGoesAndOneOfTheNextSessionStays() async throws {
        for isNoted in [true, false] {
            let scene = try DirectoryScene(pattern: Self.pattern)
            var upload = scene.upload(Self.content, chunkBytes: 300)
            try scene.send(upload, Self.content)
            setTime(32_503_680_000, of: scene.chunk("file.bin_1"))
            setTime(86_400, of: scene.chunk("file.bin_2"))
            try await scene.publish(upload)
            let state = scene.notes.withLock { $0.last?.state }
            // As the rules have it: a time to come counts as the time of the look.
            upload.lastActivityAt = isNoted ? Timestamp(microseconds: 0) : Self.now()
            try scene.aTickPasses()
            try Data(Self.content[0..<300]).write(to: scene.chunk("file.bin_0"))
            #expect(try await reclaim(scene, upload, isNoted ? state : nil) == 600)
            #expect(exists(scene, "file.bin_0"))
            #expect(!exists(scene, "file.bin_1") && !exists(scene, "file.bin_2"))
        }
    }

    /// The client keeps the times of its files, as `rsync -t` does, and sends the next session's within the time for which
    /// the chunks of this one are kept.
    @Test(arguments: [true, false]) func aChunkOfTheNextSessionWithAnOldTimeStays(isTargetThere: Bool) async throws {
        let scene = try DirectoryScene(pattern: Self.pattern)
        var upload = scene.upload(Self.content, chunkBytes: 300)
        try scene.send(upload, Self.content)
        try await scene.publish(upload)
        upload.lastActivityAt = Self.now()
        if !isTargetThere { try FileManager.default.removeItem(at: scene.target()) }
        try scene.aTickPasses()
        try scene.send(upload, DirectoryScene.content(900, seed: 5), only: [1])
        setTime(86_400, of: scene.chunk("file.bin_1"))
        #expect(try await reclaim(scene, upload, scene.notes.withLock { $0.last?.state }) == 600)
        #expect(exists(scene, "file.bin_1"))
    }

    /// What our merge noted says nothing of a file that the application made later, of chunks that came later.
    @Test func theNoteOfAMergeCountsForItsOwnFileOnly() async throws {
        let scene = try DirectoryScene(pattern: Self.pattern)
        var upload = scene.upload(Self.content, chunkBytes: 300)
        try scene.send(upload, Self.content)
        try await scene.publish(upload)
        try scene.aTickPasses()
        let other = DirectoryScene.content(900, seed: 5)
        try scene.send(upload, other)
        try FileManager.default.removeItem(at: scene.target())
        try Data(other).write(to: scene.target())
        upload.lastActivityAt = Self.now()
        #expect(try await reclaim(scene, upload, scene.notes.withLock { $0.last?.state }) == 900)
    }

    /// The last look saw three of ten; the rest came, and the application merged and settled by itself.
    @Test(arguments: ["complete", "expired"]) func whatCameBehindTheLastLookGoesWithTheSession(status: String)
        async throws
    {
        let scene = try DirectoryScene(pattern: Self.pattern)
        let content = DirectoryScene.content(1_000)
        let upload = scene.upload(content, chunkBytes: 100, sha256: DirectoryScene.digest(content))
        try scene.send(upload, content, only: [0, 1, 2])
        let reconciler = UploadReconciler(lanes: ["local": UploadLane(store: scene.store, policy: Session.policy)])
        var session = WatchedSession(upload)
        (session.now, session.dueAt) = (Self.now(), Self.now())
        #expect(await session.check(reconciler))
        #expect(session.upload.receivedChunks == 3 && session.upload.lastActivityAt != nil)
        try scene.aTickPasses()
        try scene.send(upload, content, only: [3, 4, 5, 6, 7, 8, 9])
        try Data(content).write(to: scene.target())
        session.upload.status = status
        (session.now, session.dueAt) = (Self.now(), Self.now())
        while await session.check(reconciler) {}
        #expect(session.upload.reclaimedAt != nil && session.reclaimedBytes == 1_000)
        #expect(try await scene.inspect(upload).received == 0)
        #expect(scene.published() == content)
    }

    /// No other session can own what the id names, so a late retry of a chunk is this one's.
    @Test func whatAnIdNamesGoesHoweverLateItCame() async throws {
        for pattern in ["{id}/{index}", "part-{id}.{index}"] {
            let scene = try DirectoryScene(pattern: pattern)
            var upload = scene.upload(Self.content, chunkBytes: 300)
            try scene.send(upload, Self.content)
            try await scene.publish(upload)
            let state = scene.notes.withLock { $0.last?.state }
            upload.lastActivityAt = Timestamp(microseconds: 0)
            try scene.aTickPasses()
            try scene.send(upload, Self.content, only: [1])
            #expect(try await reclaim(scene, upload, state) == 900)
            #expect(try await scene.inspect(upload).received == 0)
        }
    }

    @Test func pressureFreesTheOldestTrashFirstAndNoMoreThanIsNeeded() async throws {
        let scene = try DirectoryScene()
        let trash = URL(filePath: scene.configuration.chunks + "/.reconciled/trash")
        for (index, id) in ["young", "old", "middle"].enumerated() {
            let upload = scene.upload(Self.content, chunkBytes: 300, id: id, name: id)
            try scene.send(upload, Self.content)
            _ = try await scene.store.discard(upload, plan: upload.plan!, work: scene.work()).get()
            let job = try MergeJob(upload, upload.plan!, scene.configuration, token: 1, isInterrupted: { false })
            setTime([3_000, 1_000, 2_000][index], of: trash.appending(path: job.identity))
        }
        let root = try openRoot(scene.configuration.chunks)
        let device = try root.status().device
        var asked = 0
        try Trash(root: root).relieve(device: device + 1) {
            asked += 1; return true
        }
        #expect(asked == 0, "what lies on another file system was freed in vain")
        try Trash(root: root).relieve(device: device) {
            asked += 1
            return asked == 2
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: trash.path)
        let young = scene.upload(Self.content, chunkBytes: 300, id: "young", name: "young")
        let job = try MergeJob(young, young.plan!, scene.configuration, token: 1, isInterrupted: { false })
        #expect(left == [job.identity])
    }

    /// Its worker died between the rename and the settle, and someone has begun to clear the chunks away.
    @Test func aPublishedFileIsKnownAgainWithoutItsChunks() async throws {
        for layout in [StoreConfiguration.Directory.Layout.chunks, .offset] {
            let scene = try DirectoryScene(layout: layout)
            let upload = scene.upload(Self.content, chunkBytes: 300)
            try scene.send(upload, Self.content)
            let outcome = try await scene.merge(upload)
            let state = scene.notes.withLock { $0.last?.state }
            try FileManager.default.removeItem(at: scene.chunk("s1/1"))
            #expect(try await scene.merge(upload, token: 2, state: state) == outcome)
            let proof = await scene.store.proof(upload, plan: upload.plan!, work: scene.work(state: state))
            guard case .complete = try proof.get() else {
                Issue.record("\(layout): not proved")
                return
            }
            // What is sent after that is another file, and compared.
            try scene.aTickPasses()
            try scene.send(upload, DirectoryScene.content(900, seed: 9))
            guard case .targetExists = try await scene.merge(upload, token: 3, state: state) else {
                Issue.record("\(layout): taken for what was sent before")
                return
            }
            #expect(scene.published() == Self.content)
        }
    }

    /// Nobody said what it must hash to: the chunks do, byte for byte.
    @Test(arguments: [StoreConfiguration.Directory.Layout.chunks, .offset])
    func whatSomeoneElseMadeIsProvedByTheChunks(layout: StoreConfiguration.Directory.Layout) async throws {
        for isEqual in [true, false] {
            let scene = try DirectoryScene(layout: layout)
            let upload = scene.upload(Self.content, chunkBytes: 300)
            try scene.send(upload, Self.content)
            let made = isEqual ? Self.content : Self.content.dropLast() + [Self.content[899] ^ 1]
            try Data(made).write(to: scene.target())
            let reconciler = UploadReconciler(lanes: ["local": UploadLane(store: scene.store, policy: Session.policy)])
            var session = WatchedSession(upload)
            session.upload.status = "complete"
            (session.now, session.dueAt) = (Self.now(), Self.now())
            while await session.check(reconciler) {}
            #expect(session.upload.reviewReason == (isEqual ? nil : "TARGET_EXISTS"))
            #expect((session.upload.reclaimedAt != nil) == isEqual)
            #expect(try await scene.inspect(upload).received == (isEqual ? 0 : 3))
            #expect(scene.published() == made)
        }
    }

    /// One marker is missing: the rest of the data file could be what was there before.
    @Test func aDataFileThatIsNotWholeProvesNothing() async throws {
        let scene = try DirectoryScene(layout: .offset)
        let upload = scene.upload(Self.content, chunkBytes: 300)
        try scene.send(upload, Self.content, only: [0, 2])
        for target in [Self.content, DirectoryScene.content(900, seed: 3)] {
            try Data(target).write(to: scene.target())
            let proof = await scene.store.proof(upload, plan: upload.plan!, work: scene.work())
            guard case .undecided = try proof.get() else { Issue.record("decided"); return }
        }
    }

    @Test func whatNobodyCanTellIsToldToHumansWithWhatWasCompared() async throws {
        let scene = try DirectoryScene()
        let upload = scene.upload(Self.content, chunkBytes: 300)
        try scene.send(upload, Self.content, only: [0, 2])
        try Data(Self.content).write(to: scene.target())
        let proof = await scene.store.proof(upload, plan: upload.plan!, work: scene.work())
        guard case .undecided(let detail) = try proof.get() else {
            Issue.record("decided")
            return
        }
        #expect(detail["equal_chunks"]?.integer == 2)
        #expect(detail["not_compared"]?.string == "1")
        // As soon as the rest has come it is decided.
        try scene.send(upload, Self.content, only: [1])
        try await scene.publish(upload)
    }

    /// A dry run has no lease, and needs none to look.
    @Test func aProofNeedsNoLeaseAndAMergeDoes() async throws {
        let scene = try DirectoryScene()
        let upload = scene.upload(Self.content, chunkBytes: 300, sha256: DirectoryScene.digest(Self.content))
        try scene.send(upload, Self.content)
        let leaseless = scene.work(lease: { .zero })
        #expect(await scene.store.merge(upload, plan: upload.plan!, work: leaseless) == .interrupted)
        #expect(scene.visible.isEmpty)
        let over = scene.work(deadline: .now)
        guard case .fault(let fault) = await scene.store.merge(upload, plan: upload.plan!, work: over) else {
            Issue.record("merged behind its deadline")
            return
        }
        #expect(fault.kind == .interrupted)
        try Data(Self.content).write(to: scene.target())
        guard case .complete = try await scene.store.proof(upload, plan: upload.plan!, work: leaseless).get() else {
            Issue.record("not proved")
            return
        }
    }

    /// What frees space must not be held up as misconfigured where there is none.
    @Test(arguments: [ENOSPC, EDQUOT]) func aFullDiskIsWaitedForAndNotToBlameOnTheConfiguration(code: Int32) {
        #expect(FileError("mkdirat", code: code).fault("full").kind == .unavailable(retryAfter: nil))
    }
}
