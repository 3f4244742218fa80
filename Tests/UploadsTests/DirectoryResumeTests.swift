import Foundation
import JSON
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
            fingerprint: try job.inventory().fingerprint, token: 1, mergedBytes: DirectoryStore.checkpointBytes)
        do {
            var state = try job.begin(after: nil)
            try job.copy(&state, to: 100 << 20)
        }
        #expect(scene.parts.count == 1)
        let before = scene.notes.withLock { $0.count }
        guard case .published(let publication) = try await scene.merge(upload, token: 2, state: note.json) else {
            Issue.record("not published")
            return
        }
        #expect(publication.etag == digest)
        #expect(scene.published().map(DirectoryScene.digest) == Self.contentDigest)
        #expect(scene.parts.isEmpty)
        // It went on at the checkpoint: the next one is the second.
        #expect(scene.notes.withLock { $0[before...].map(\.bytes) } == [2 * DirectoryStore.checkpointBytes])
    }

    @Test func aFrozenWorkerNeitherWritesNorPublishesBehindItsSuccessor() async throws {
        let scene = try DirectoryScene()
        let upload = scene.upload(Self.content, chunkBytes: Self.chunkBytes)
        try scene.send(upload, Self.content)
        let plan = try #require(upload.plan)
        let frozen = try MergeJob(upload, plan, scene.configuration, token: 1, isInterrupted: { false })
        let note = MergeNote(
            fingerprint: try frozen.inventory().fingerprint, token: 1, mergedBytes: DirectoryStore.checkpointBytes)
        var state = try frozen.begin(after: nil)
        try frozen.copy(&state, to: DirectoryStore.checkpointBytes)
        // It holds its lock, and sleeps. Its successor finishes.
        guard case .published = try await scene.merge(upload, token: 2, state: note.json) else {
            Issue.record("not published")
            return
        }
        // Now it wakes up, and knows nothing.
        try frozen.copy(&state, to: plan.totalBytes)
        #expect(try frozen.publish(state, digest: nil) == .interrupted)
        #expect(scene.published().map(DirectoryScene.digest) == Self.contentDigest)
        #expect(scene.visible == ["file.bin"])
    }

    @Test func aLostLeaseStopsAndRemovesOnlyItsOwn() async throws {
        let scene = try DirectoryScene()
        let upload = scene.upload(Self.content, chunkBytes: Self.chunkBytes)
        try scene.send(upload, Self.content)
        _ = try await interrupted(scene, upload, after: 1)
        #expect(scene.visible.isEmpty && scene.parts.isEmpty)
        #expect(try await scene.inspect(upload).received == 5)
    }

    @Test func chunksThatChangedMeanwhileStartTheMergeAnew() async throws {
        let scene = try DirectoryScene()
        let upload = scene.upload(Self.content, chunkBytes: Self.chunkBytes)
        try scene.send(upload, Self.content)
        let plan = try #require(upload.plan)
        let job = try MergeJob(upload, plan, scene.configuration, token: 1, isInterrupted: { false })
        let note = MergeNote(
            fingerprint: try job.inventory().fingerprint, token: 1, mergedBytes: DirectoryStore.checkpointBytes)
        do {
            var state = try job.begin(after: nil)
            try job.copy(&state, to: DirectoryStore.checkpointBytes)
        }
        let other = Self.content(seed: 7)
        try scene.send(upload, other, only: [0])
        guard case .published = try await scene.merge(upload, token: 2, state: note.json) else {
            Issue.record("not published")
            return
        }
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
