import Foundation
import JSON
import Synchronization
import Testing
import Timeline

@testable import Uploads

/// Chunks that were put out of the way, of an upload that goes on after all.
@Suite struct DirectoryRestoreTests {
    private static let content = DirectoryScene.content(900)
    private static let patterns = ["{id}/{index}", "{name}_{index}", "part-{id}.{index}"]

    private func expired(_ scene: DirectoryScene, only indices: Set<Int>? = nil) async throws -> Upload {
        let upload = scene.upload(Self.content, chunkBytes: 300)
        try scene.send(upload, Self.content, only: indices)
        _ = try await scene.store.discard(upload, plan: upload.plan!, work: scene.work()).get()
        #expect(try await scene.inspect(upload).received == 0)
        return upload
    }

    private func restore(
        _ scene: DirectoryScene, _ upload: Upload, lease: @escaping @Sendable () -> Duration = { .seconds(60) }
    ) async -> Result<Int64?, StoreFault> {
        await scene.store.restore(upload, plan: upload.plan!, work: scene.work(lease: lease))
    }

    private func trash(_ scene: DirectoryScene) throws -> [String] {
        let path = scene.configuration.chunks + "/.reconciled/trash"
        return try FileManager.default.subpathsOfDirectory(atPath: path).filter { $0.contains("/") }
    }

    private func folders(_ scene: DirectoryScene) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: scene.configuration.chunks + "/.reconciled/trash")
    }

    @Test(arguments: patterns) func whatIsStillThereComesBackAndIsMerged(pattern: String) async throws {
        let scene = try DirectoryScene(pattern: pattern)
        let upload = try await expired(scene)
        #expect(try await restore(scene, upload).get() == 900)
        #expect(try folders(scene).isEmpty)
        #expect(try await restore(scene, upload).get() == 0)
        try await scene.publish(upload)
        #expect(scene.published() == Self.content)
    }

    @Test func whatWasNeverPutAwayOrIsFreedIsMissing() async throws {
        let scene = try DirectoryScene()
        let new = scene.upload(Self.content, chunkBytes: 300)
        #expect(try await restore(scene, new).get() == 0)
        #expect(!FileManager.default.fileExists(atPath: scene.chunk("s1").path))
        let upload = try await expired(scene, only: [0, 1])
        // Space was short, and whoever freed it died in the middle.
        let first = try #require(try trash(scene).first { $0.hasSuffix("/1") })
        try FileManager.default.removeItem(atPath: scene.configuration.chunks + "/.reconciled/trash/" + first)
        #expect(try await restore(scene, upload).get() == 300)
        #expect(try await scene.inspect(upload).missing.description == "1-2")
        let gone = try await expired(scene)
        _ = try await scene.store.purge(gone, plan: gone.plan!, work: scene.work()).get()
        #expect(try await restore(scene, gone).get() == 0)
        #expect(try await scene.inspect(gone).missing.description == "0-2")
    }

    /// Its client has begun to send it again.
    @Test(arguments: patterns) func aChunkThatCameSinceIsNotReplaced(pattern: String) async throws {
        let scene = try DirectoryScene(pattern: pattern)
        let upload = try await expired(scene)
        let other = DirectoryScene.content(900, seed: 3)
        try scene.send(upload, other, only: [1])
        #expect(try await restore(scene, upload).get() == 600)
        try await scene.publish(upload)
        #expect(scene.published() == Array(Self.content[..<300]) + other[300..<600] + Self.content[600...])
        // What it was in the way of is nobody's any more.
        #expect(try folders(scene).isEmpty)
    }

    /// What was put away was too long, which its client saw, and sent it again.
    @Test func aChunkThatCameAgainAsItShouldBeSupersedesOneThatWasTooLong() async throws {
        let scene = try DirectoryScene()
        let upload = scene.upload(Self.content, chunkBytes: 300)
        try scene.send(upload, Self.content)
        try Data(repeating: 7, count: 400).write(to: scene.chunk("s1/1"))
        _ = try await scene.store.discard(upload, plan: upload.plan!, work: scene.work()).get()
        try scene.send(upload, Self.content, only: [1])
        #expect(try await restore(scene, upload).get() == 600)
        #expect(try folders(scene).isEmpty)
        try await scene.publish(upload)
        #expect(scene.published() == Self.content)
    }

    /// It was put away whole, then half of it again.
    @Test func aWholeChunkGoesBeforeHalfOfItThatWasPutAwayLater() async throws {
        let scene = try DirectoryScene()
        let upload = scene.upload(Self.content, chunkBytes: 300)
        try scene.send(upload, Self.content)
        _ = try await scene.store.discard(upload, plan: upload.plan!, work: scene.work()).get()
        try scene.send(upload, Self.content, only: [1])
        try Data(repeating: 7, count: 10).write(to: scene.chunk("s1/1"))
        _ = try await scene.store.discard(upload, plan: upload.plan!, work: scene.work()).get()
        #expect(try await restore(scene, upload).get() != nil)
        try await scene.publish(upload)
        #expect(scene.published() == Self.content)
    }

    /// A folder, a link or half a chunk took its place: the whole one waits until the place is free.
    @Test(arguments: ["folder", "link", "half"]) func aChunkWhosePlaceNoChunkHasWaits(obstacle: String) async throws {
        let scene = try DirectoryScene()
        let upload = try await expired(scene)
        let place = scene.chunk("s1/1")
        try FileManager.default.createDirectory(at: scene.chunk("s1"), withIntermediateDirectories: true)
        switch obstacle {
        case "folder": try FileManager.default.createDirectory(at: place, withIntermediateDirectories: false)
        case "link": try FileManager.default.createSymbolicLink(atPath: place.path, withDestinationPath: "/dev/null")
        default: try Data([1, 2, 3]).write(to: place)
        }
        #expect(try await restore(scene, upload).get() == nil)
        #expect(try await scene.inspect(upload).missing.description == "1")
        #expect(try trash(scene).map { $0.hasSuffix("/1") } == [true])
        try FileManager.default.removeItem(at: place)
        #expect(try await restore(scene, upload).get() == 300)
        try await scene.publish(upload)
        #expect(scene.published() == Self.content)
    }

    /// It expires a second time, and goes on a second time: what was replaced in between does not come back.
    @Test(arguments: patterns) func whatWasReplacedStaysReplaced(pattern: String) async throws {
        let scene = try DirectoryScene(pattern: pattern)
        let upload = try await expired(scene)
        let other = DirectoryScene.content(900, seed: 3)
        try scene.send(upload, other, only: [1])
        #expect(try await restore(scene, upload).get() == 600)
        // Its client takes the chunk away, which it found to be wrong.
        let naming = try ChunkNaming(upload, pattern: pattern, firstIndex: 0)
        try FileManager.default.removeItem(at: scene.chunk((naming.path + [naming.fileName(1)]).joined(separator: "/")))
        _ = try await scene.store.discard(upload, plan: upload.plan!, work: scene.work()).get()
        #expect(try await restore(scene, upload).get() == 600)
        #expect(try await scene.inspect(upload).missing.description == "1")
    }

    /// Put away twice: the one that was sent last is the session's.
    @Test func ofSeveralTheLastOneComesBack() async throws {
        let scene = try DirectoryScene()
        let upload = try await expired(scene)
        let other = DirectoryScene.content(900, seed: 3)
        try scene.send(upload, other, only: [1])
        _ = try await scene.store.discard(upload, plan: upload.plan!, work: scene.work()).get()
        #expect(try trash(scene).count == 4)
        #expect(try await restore(scene, upload).get() == 900)
        #expect(try Data(contentsOf: scene.chunk("s1/1")) == Data(other[300..<600]))
        #expect(try folders(scene).isEmpty)
    }

    /// The one without a count is the younger one: the place had become free again.
    @Test func ofSeveralTheNewestComesBackWhateverItsName() async throws {
        let scene = try DirectoryScene()
        let upload = try await expired(scene)
        let contents = [3, 4].map { DirectoryScene.content(900, seed: $0) }
        try scene.send(upload, contents[0], only: [1])
        _ = try await scene.store.discard(upload, plan: upload.plan!, work: scene.work()).get()
        let first = try #require(try trash(scene).first { $0.hasSuffix("/1") })
        try FileManager.default.removeItem(atPath: scene.configuration.chunks + "/.reconciled/trash/" + first)
        try scene.aTickPasses()
        try scene.send(upload, contents[1], only: [1])
        _ = try await scene.store.discard(upload, plan: upload.plan!, work: scene.work()).get()
        #expect(try trash(scene).count { $0.hasSuffix("/1") || $0.hasSuffix("/1.1") } == 2)
        #expect(try await restore(scene, upload).get() == 900)
        #expect(try Data(contentsOf: scene.chunk("s1/1")) == Data(contents[1][300..<600]))
    }

    /// It waits, as the look does, until it is moved away.
    @Test func whatIsInThePlaceOfTheDirectoryKeepsTheChunksInTheTrash() async throws {
        let scene = try DirectoryScene()
        let upload = try await expired(scene)
        try Data().write(to: scene.chunk("s1"))
        #expect(try await restore(scene, upload).get() == nil)
        #expect(try trash(scene).count == 3)
        #expect(try await scene.inspect(upload).obstacle?.contains("“s1”") == true)
        // It may expire again meanwhile.
        #expect(
            try await scene.store.discard(upload, plan: upload.plan!, work: scene.work()).get()
                == Discarded(bytes: 900, isKept: true))
        try FileManager.default.removeItem(at: scene.chunk("s1"))
        #expect(try await restore(scene, upload).get() == 900)
    }

    @Test func aDirectoryThatIsTakenAwayIsNoSignThatItsChunksAreFreed() async throws {
        let scene = try DirectoryScene()
        let upload = try await expired(scene)
        let job = try MergeJob(upload, upload.plan!, scene.configuration, token: 1, isInterrupted: { false })
        let own = scene.chunk("s1").path
        #expect(throws: MergeJob.Stop.self) {
            _ = try Trash(root: job.chunksRoot).giveBack(job.files, identity: job.identity) {
                _ = unsafe rmdir(own)
                return true
            }
        }
        #expect(try trash(scene).count == 3)
        #expect(try await restore(scene, upload).get() == 900)
    }

    /// Killed, or out of its lease, at each step: the next one brings back the rest.
    @Test(arguments: patterns, 1...4) func whoeverComesNextBringsBackTheRest(pattern: String, steps: Int) async throws {
        let scene = try DirectoryScene(pattern: pattern)
        let upload = try await expired(scene)
        let asked = Atomic(0)
        let ended = await restore(
            scene, upload, lease: { asked.add(1, ordering: .relaxed).newValue < steps ? .seconds(60) : .zero })
        if steps < 4 {
            guard case .failure(let fault) = ended, fault.kind == .interrupted else {
                Issue.record("\(ended)")
                return
            }
        }
        _ = try await restore(scene, upload).get()
        #expect(try await scene.inspect(upload).received == 3)
        #expect(try folders(scene).isEmpty)
    }

    @Test(arguments: patterns) func severalAtTheSameTimeBringBackEachChunkOnce(pattern: String) async throws {
        let scene = try DirectoryScene(pattern: pattern)
        let upload = try await expired(scene)
        let bytes = try await withThrowingTaskGroup(of: Int64.self) { group in
            for _ in 0..<4 { group.addTask { try await restore(scene, upload).get() ?? 0 } }
            return try await group.reduce(0, +)
        }
        #expect(bytes == 900)
        #expect(try await scene.inspect(upload).received == 3)
    }

    /// The row was removed while its chunks lay in the trash, and another was added under its id.
    @Test func whatWasPutAwayBeforeTheRowWasMadeIsAnothers() async throws {
        let scene = try DirectoryScene()
        var upload = try await expired(scene)
        upload.createdAt = Timestamp.wallClock + .seconds(60)
        #expect(try await restore(scene, upload).get() == 0)
        #expect(try trash(scene).count == 3)
        #expect(!FileManager.default.fileExists(atPath: scene.chunk("s1").path))
    }

    /// A marker beside another data file would tell of a chunk that is not in it.
    @Test func markersStayWhereTheyAre() async throws {
        let scene = try DirectoryScene(layout: .offset)
        let upload = try await expired(scene)
        #expect(try await restore(scene, upload).get() == 0)
        #expect(try await scene.inspect(upload).received == 0)
    }

    /// Its client may run as another user of the same group. Where all may write, nobody takes away what is another's.
    @Test(arguments: [mode_t(0o775), 0o770, 0o700, 0o1777])
    func theDirectoryIsAsOpenAsTheOneAboveIt(mode: mode_t) async throws {
        let scene = try DirectoryScene()
        let upload = try await expired(scene)
        #expect(unsafe chmod(scene.configuration.chunks, mode) == 0)
        #expect(try await restore(scene, upload).get() == 900)
        var status = stat()
        #expect(unsafe stat(scene.chunk("s1").path, &status) == 0)
        #expect(status.st_mode & 0o7777 == mode)
        let workshop = scene.configuration.chunks + "/.reconciled/made"
        #expect(try FileManager.default.contentsOfDirectory(atPath: workshop).isEmpty)
    }

    /// From the row that expired to the file that is merged.
    @Test func anUploadThatAPersonSetBackIsMergedFromWhatWasPutAway() async throws {
        let scene = try DirectoryScene()
        let upload = scene.upload(Self.content, chunkBytes: 300)
        try scene.send(upload, Self.content, only: [0, 2])
        let reconciler = UploadReconciler(lanes: ["local": UploadLane(store: scene.store, policy: Session.policy)])
        var session = WatchedSession(upload)
        // Long idle by the row's clock.
        (session.now, session.dueAt) = (Timestamp.wallClock + .seconds(86_400), Timestamp.wallClock)
        while session.upload.status != "expired" || UploadProgress(json: session.progress).trash == nil {
            guard await session.check(reconciler), session.upload.reviewReason == nil else { break }
        }
        #expect(try await scene.inspect(upload).received == 0)
        (session.upload.status, session.progress) = ("receiving", UploadProgress(isRestoring: true).json)
        (session.upload.expiresAt, session.dueAt) = (session.now + .seconds(86_400), session.now)
        #expect(await session.check(reconciler))
        #expect(session.upload.receivedChunks == 2 && session.last?.change?.missing == "1")
        let answer = try JSONValue(parsing: try #require(session.last?.answer))
        #expect(answer["restored_bytes"]?.integer == 600)
        try scene.send(upload, Self.content, only: [1])
        for _ in 0..<20 where session.upload.status != "complete" { _ = await session.check(reconciler) }
        #expect(session.upload.status == "complete")
        #expect(scene.published() == Self.content)
    }
}
