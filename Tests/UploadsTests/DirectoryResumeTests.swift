import Foundation
import JSON
import Synchronization
import Testing

@testable import Uploads

/// What a worker leaves behind, and who takes it up.
@Suite struct DirectoryResumeTests {
    private static let chunkBytes: Int64 = 30 << 20
    private static let content = content(seed: 1)
    private static let contentDigest = DirectoryScene.digest(content)

    /// 150 MiB, no MiB like another; made of few, for the test's build is slow.
    private static func content(seed: UInt64) -> [UInt8] {
        let block = DirectoryScene.content(1 << 20, seed: seed)
        var content: [UInt8] = []
        content.reserveCapacity(150 << 20)
        for index in 0..<150 {
            content.append(contentsOf: block)
            content[content.count - 1] = UInt8(index)
        }
        return content
    }

    /// A merge that loses its lease at the checkpoint after `count` others.
    private func interrupted(_ scene: DirectoryScene, _ upload: Upload, after count: Int) async throws -> JSONValue? {
        let outcome = await scene.store.merge(
            upload, plan: upload.plan!,
            work: scene.work(token: 1, onCheckpoint: { _ in scene.notes.withLock { $0.count } < count }))
        #expect(outcome == .interrupted)
        return scene.notes.withLock { $0.last?.state }
    }

    @Test(arguments: [true, false]) func aDeadWorkersPartIsAdopted(isDigestKnown: Bool) async throws {
        let scene = try DirectoryScene()
        let digest = isDigestKnown ? Self.contentDigest : nil
        let upload = scene.upload(Self.content, chunkBytes: Self.chunkBytes, sha256: digest)
        try scene.send(upload, Self.content)
        let plan = try #require(upload.plan)
        let job = try MergeJob(upload, plan, scene.configuration, token: 1, isInterrupted: { false })
        // Killed behind the first checkpoint: more is in the part than was noted.
        let note = MergeNote(
            fingerprint: try job.look().inventory.fingerprint, token: 1, mergedBytes: DirectoryStore.checkpointBytes)
        do {
            var state = try job.begin(after: nil)
            try job.copy(&state, to: 100 << 20)
        }
        #expect(scene.parts.count == 1)
        guard case .published(let publication) = try await scene.merge(upload, token: 2, state: note.json) else {
            Issue.record("not published")
            return
        }
        #expect(publication.etag == digest)
        #expect(scene.published().map(DirectoryScene.digest) == Self.contentDigest)
        #expect(scene.parts.isEmpty)
        // It went on at the checkpoint: the next one is the second.
        #expect(scene.checkpoints == [2 * DirectoryStore.checkpointBytes, 150 << 20])
    }

    @Test func aFrozenWorkerNeitherWritesNorPublishesBehindItsSuccessor() async throws {
        let scene = try DirectoryScene()
        let upload = scene.upload(Self.content, chunkBytes: Self.chunkBytes)
        try scene.send(upload, Self.content)
        let plan = try #require(upload.plan)
        let frozen = try MergeJob(upload, plan, scene.configuration, token: 1, isInterrupted: { false })
        let note = MergeNote(
            fingerprint: try frozen.look().inventory.fingerprint, token: 1, mergedBytes: DirectoryStore.checkpointBytes)
        var state = try frozen.begin(after: nil)
        try frozen.copy(&state, to: DirectoryStore.checkpointBytes)
        // It holds its lock, and sleeps. Its successor finishes.
        try await scene.publish(upload, token: 2, state: note.json)
        // Now it wakes up, and knows nothing.
        try frozen.copy(&state, to: plan.totalBytes)
        #expect(try frozen.publish(state, digest: nil) == .interrupted)
        #expect(scene.published().map(DirectoryScene.digest) == Self.contentDigest)
        #expect(scene.visible == ["file.bin"])
    }

    /// Dies at once, having copied a little more than the first checkpoint names; nothing but the part is left of it.
    private func died(
        _ scene: DirectoryScene, _ upload: Upload, token: Int64, after note: MergeNote? = nil
    ) throws -> MergeNote {
        let job = try MergeJob(
            upload, try #require(upload.plan), scene.configuration, token: token, isInterrupted: { false })
        var state = try job.begin(after: note)
        try job.copy(&state, to: max(state.position, DirectoryStore.checkpointBytes) + (1 << 20))
        return MergeNote(
            fingerprint: try job.look().inventory.fingerprint, token: token, mergedBytes: DirectoryStore.checkpointBytes
        )
    }

    @Test(arguments: [true, false])
    func aSecondDeathBeforeTheNextCheckpointLosesNothing(isDigestKnown: Bool) async throws {
        let scene = try DirectoryScene()
        let upload = scene.upload(
            Self.content, chunkBytes: Self.chunkBytes, sha256: isDigestKnown ? Self.contentDigest : nil)
        try scene.send(upload, Self.content)
        let note = try died(scene, upload, token: 1)
        for token: Int64 in 2...4 {
            _ = try died(scene, upload, token: token, after: note)
            #expect(scene.parts.count == 1)
        }
        // The journal still names the first.
        try await scene.publish(upload, token: 5, state: note.json)
        #expect(scene.published().map(DirectoryScene.digest) == Self.contentDigest)
        #expect(scene.checkpoints == [2 * DirectoryStore.checkpointBytes, 150 << 20])
        #expect(scene.parts.isEmpty)
    }

    /// Its poller has left and handed the row back, and its thread still sits in a system call.
    @Test func thePartOfAWorkerThatIsAboutToEndIsWaitedForAndNotCopied() async throws {
        let scene = try DirectoryScene()
        let content = DirectoryScene.content(900)
        let upload = scene.upload(content, chunkBytes: 300)
        try scene.send(upload, content)
        let leaving = try MergeJob(upload, upload.plan!, scene.configuration, token: 1, isInterrupted: { false })
        let held = Mutex(Optional(try leaving.begin(after: nil)))
        let inode = try held.withLock { state in
            try leaving.copy(&state!, to: 300)
            return try state!.part.status().inode
        }
        let note = MergeNote(fingerprint: try leaving.look().inventory.fingerprint, token: 1, mergedBytes: 300)
        let asked = Atomic(0)
        let heir = try MergeJob(
            upload, upload.plan!, scene.configuration, token: 2,
            isInterrupted: {
                // Once as it begins, then each time that the lock was refused.
                if asked.add(1, ordering: .relaxed).newValue == 3 { held.withLock { $0 = nil } }
                return false
            })
        let taken = try heir.begin(after: note)
        #expect(try taken.part.status().inode == inode)
        #expect(taken.position == 300)
    }

    @Test func whatWasCopiedFromAFrozenWorkerOutlivesTheOneThatCopiedIt() async throws {
        let scene = try DirectoryScene()
        let upload = scene.upload(Self.content, chunkBytes: Self.chunkBytes)
        try scene.send(upload, Self.content)
        let frozen = try MergeJob(upload, upload.plan!, scene.configuration, token: 1, isInterrupted: { false })
        var state = try frozen.begin(after: nil)
        try frozen.copy(&state, to: DirectoryStore.checkpointBytes)
        let note = MergeNote(
            fingerprint: try frozen.look().inventory.fingerprint, token: 1, mergedBytes: state.position)
        _ = try died(scene, upload, token: 2, after: note)
        try await scene.publish(upload, token: 3, state: note.json)
        #expect(scene.published().map(DirectoryScene.digest) == Self.contentDigest)
        #expect(scene.checkpoints == [2 * DirectoryStore.checkpointBytes, 150 << 20])
        try frozen.copy(&state, to: frozen.plan.totalBytes)
        #expect(try frozen.publish(state, digest: nil) == .interrupted)
        #expect(scene.visible == ["file.bin"])
    }

    @Test func aWorkerThatNotedNothingCannotPublishBehindItsSuccessorEither() async throws {
        let scene = try DirectoryScene()
        let upload = scene.upload([1, 2, 3], chunkBytes: 3)
        try scene.send(upload, [1, 2, 3])
        let frozen = try MergeJob(upload, upload.plan!, scene.configuration, token: 1, isInterrupted: { false })
        var state = try frozen.begin(after: nil)
        try frozen.copy(&state, to: 3)
        // It is about to publish. Meanwhile a chunk is sent again, and the successor begins.
        try scene.send(upload, [7, 8, 9])
        let heir = try MergeJob(upload, upload.plan!, scene.configuration, token: 2, isInterrupted: { false })
        _ = try heir.begin(after: nil)
        #expect(try frozen.publish(state, digest: nil) == .interrupted)
        #expect(scene.visible.isEmpty)
        #expect(scene.parts.count == 1)
    }

    /// It was frozen just before the rename, and wakes up at any moment of its successor's merge: the n-th time that its
    /// successor asks for its lease, or (0) as that notes what it is about to publish.
    @Test(arguments: 0...12) func aDataFileThatAFrozenWorkerPublishesBesideItsSuccessorIsKnown(moment: Int) async throws
    {
        let scene = try DirectoryScene(layout: .offset)
        let content = DirectoryScene.content(900)
        let upload = scene.upload(content, chunkBytes: 300)
        try scene.send(upload, content)
        let frozen = try MergeJob(upload, upload.plan!, scene.configuration, token: 1, isInterrupted: { false })
        let look = try frozen.look()
        let note = MergeNote(
            fingerprint: look.inventory.fingerprint, token: 1, mergedBytes: 0, changedAt: look.changedAt,
            published: try frozen.files.open(nil, bytes: 900)?.status)
        let reconciler = UploadReconciler(lanes: ["local": UploadLane(store: scene.store, policy: Session.policy)])
        var session = WatchedSession(upload)
        session.upload.status = "merging"
        session.progress = UploadProgress(mergedBytes: 0, state: note.json).json
        let asked = Atomic(0)
        var checks = 0
        while session.upload.status != "complete", session.upload.status != "review", checks < 20 {
            checks += 1
            let isChecked = await session.check(
                reconciler,
                lease: {
                    if asked.add(1, ordering: .relaxed).newValue == moment { _ = try? frozen.publishData() }
                    return .seconds(60)
                },
                journal: {
                    if moment == 0 { _ = try frozen.publishData() }
                    return true
                })
            #expect(isChecked)
        }
        #expect(session.upload.status == "complete", "\(session.last?.reason ?? "")")
        #expect(scene.published() == content)
    }

    @Test func aLaterClaimIsLeftAloneWhileItLivesAndSweptWhenItDoesNot() async throws {
        let scene = try DirectoryScene()
        let upload = scene.upload([1, 2, 3], chunkBytes: 3)
        try scene.send(upload, [1, 2, 3])
        do {
            let later = try MergeJob(upload, upload.plan!, scene.configuration, token: 9, isInterrupted: { false })
            let state = try later.begin(after: nil)
            #expect(try await scene.merge(upload, token: 2) == .interrupted)
            #expect(scene.parts == [state.partName])
            #expect(scene.visible.isEmpty)
        }
        // It died; or tokens begin anew in a database that was restored.
        try await scene.publish(upload, token: 2)
        #expect(scene.parts.isEmpty)
    }

    @Test func aLostLeaseLeavesWhatWasNotedAndNothingElse() async throws {
        let scene = try DirectoryScene()
        let upload = scene.upload(Self.content, chunkBytes: Self.chunkBytes)
        try scene.send(upload, Self.content)
        _ = try await interrupted(scene, upload, after: 0)
        #expect(scene.visible.isEmpty && scene.parts.isEmpty)
        let state = try await interrupted(scene, upload, after: 1)
        #expect(scene.visible.isEmpty && scene.parts.count == 1)
        #expect(try await scene.inspect(upload).received == 5)
        try await scene.publish(upload, token: 2, state: state)
        #expect(scene.checkpoints.suffix(2) == [2 * DirectoryStore.checkpointBytes, 150 << 20])
        #expect(scene.published().map(DirectoryScene.digest) == Self.contentDigest)
    }

    @Test func spaceThatIsTakenMeanwhileCostsNothingThatWasNoted() async throws {
        let scene = try DirectoryScene()
        let upload = scene.upload(Self.content, chunkBytes: Self.chunkBytes)
        try scene.send(upload, Self.content)
        let note = try died(scene, upload, token: 1)
        var poor = scene.configuration
        poor.minFreeBytes = 1 << 60
        for token: Int64 in 2...3 {
            let outcome = await DirectoryStore(poor).merge(
                upload, plan: upload.plan!, work: scene.work(token: token, state: note.json))
            guard case .noSpace = outcome else { Issue.record("\(outcome)"); return }
        }
        let part = try #require(scene.parts.first)
        let path = scene.configuration.target + "/.reconciled/parts/" + part
        // No more of the disk is held than what was noted.
        var status = stat()
        #expect(unsafe stat(path, &status) == 0)
        #expect(Int64(status.st_size) == DirectoryStore.checkpointBytes)
        #expect(Int64(status.st_blocks) * 512 <= DirectoryStore.checkpointBytes + (1 << 20))
        try await scene.publish(upload, token: 4, state: note.json)
        #expect(scene.checkpoints == [2 * DirectoryStore.checkpointBytes, 150 << 20])
        #expect(scene.published().map(DirectoryScene.digest) == Self.contentDigest)
    }

    @Test func partsOfSessionsThatWereRemovedGoInTheEnd() async throws {
        let scene = try DirectoryScene()
        let upload = scene.upload([1, 2, 3], chunkBytes: 3)
        try scene.send(upload, [1, 2, 3])
        let folder = URL(filePath: scene.configuration.target + "/.reconciled/parts")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (name, age) in [("old.7.part", 8 * 86_400), ("young.8.part", 86_400), ("notes.txt", 8 * 86_400)] {
            let file = folder.appending(path: name)
            try Data([1]).write(to: file)
            let date = Date(timeIntervalSinceNow: -Double(age))
            try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: file.path)
        }
        _ = try await scene.merge(upload)
        #expect(scene.parts.sorted() == ["notes.txt", "young.8.part"])
    }

    @Test func chunksThatChangedMeanwhileStartTheMergeAnew() async throws {
        let scene = try DirectoryScene()
        let upload = scene.upload(Self.content, chunkBytes: Self.chunkBytes)
        try scene.send(upload, Self.content)
        let plan = try #require(upload.plan)
        let job = try MergeJob(upload, plan, scene.configuration, token: 1, isInterrupted: { false })
        let note = MergeNote(
            fingerprint: try job.look().inventory.fingerprint, token: 1, mergedBytes: DirectoryStore.checkpointBytes)
        do {
            var state = try job.begin(after: nil)
            try job.copy(&state, to: DirectoryStore.checkpointBytes)
        }
        let other = Self.content(seed: 7)
        try scene.send(upload, other, only: [0])
        try await scene.publish(upload, token: 2, state: note.json)
        var expected = Self.content
        expected.replaceSubrange(0..<(30 << 20), with: other[..<(30 << 20)])
        #expect(scene.published().map(DirectoryScene.digest) == DirectoryScene.digest(expected))
        #expect(scene.parts.isEmpty)
    }

    @Test func aFullDiskDamagesNothing() async throws {
        let scene = try DirectoryScene(minFreeBytes: 1 << 60)
        let upload = scene.upload([1, 2, 3], chunkBytes: 3)
        try scene.send(upload, [1, 2, 3])
        guard case .noSpace(let needed, let free) = try await scene.merge(upload) else {
            Issue.record("merged")
            return
        }
        #expect(needed > free)
        #expect(scene.visible.isEmpty && scene.parts.isEmpty)
        #expect(try await scene.inspect(upload).received == 1)
    }

    @Test func aStoreThatIsGoneIsSaidSo() async throws {
        let scene = try DirectoryScene()
        let upload = scene.upload([1, 2, 3], chunkBytes: 3)
        try FileManager.default.removeItem(atPath: scene.configuration.chunks)
        let found = await scene.store.inspect(upload, plan: upload.plan!, work: scene.work())
        guard case .failure(let fault) = found else {
            Issue.record("inspected")
            return
        }
        #expect(fault.kind == .misconfigured)
    }
}
