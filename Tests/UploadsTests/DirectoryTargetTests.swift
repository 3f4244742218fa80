import Foundation
import JSON
import Testing

@testable import Uploads

/// What stands where a target, or a directory on the way to it, should be.
@Suite struct DirectoryTargetTests {
    private static let content = DirectoryScene.content(900)

    private func inTheWay(_ outcome: MergeOutcome) -> String? {
        if case .targetExists(let detail) = outcome { detail["directory"]?.string } else { nil }
    }

    private func file(_ scene: DirectoryScene, _ name: String) throws { try Data([1]).write(to: scene.target(name)) }

    @Test(arguments: [StoreConfiguration.Directory.Layout.chunks, .offset])
    func aFileInTheWayIsNoticedBeforeAnythingIsCopied(layout: StoreConfiguration.Directory.Layout) async throws {
        let scene = try DirectoryScene(layout: layout)
        let upload = scene.upload(Self.content, chunkBytes: 300, name: "a/b/c.bin")
        try scene.send(upload, Self.content)
        try FileManager.default.createDirectory(at: scene.target("a"), withIntermediateDirectories: true)
        try file(scene, "a/b")
        #expect(inTheWay(try await scene.merge(upload)) == "a/b")
        #expect(scene.checkpoints.isEmpty && scene.parts.isEmpty)
        #expect(try await scene.inspect(upload).received == 3)
        try FileManager.default.removeItem(at: scene.target("a/b"))
        try await scene.publish(upload, token: 2)
        #expect(scene.published("a/b/c.bin") == Self.content)
    }

    @Test(arguments: [StoreConfiguration.Directory.Layout.chunks, .offset])
    func aFileThatGetsInTheWayDuringTheMergeLeavesNoPart(layout: StoreConfiguration.Directory.Layout) async throws {
        let scene = try DirectoryScene(layout: layout)
        let upload = scene.upload(Self.content, chunkBytes: 300, name: "a/b.bin")
        try scene.send(upload, Self.content)
        let place = scene.target("a")
        let work = scene.work(onCheckpoint: { _ in FileManager.default.createFile(atPath: place.path, contents: nil) })
        #expect(inTheWay(await scene.store.merge(upload, plan: upload.plan!, work: work)) == "a")
        #expect(scene.checkpoints.count == 1 && scene.parts.isEmpty)
        #expect(try await scene.inspect(upload).received == 3)
    }

    /// Its worker died; what it left would wait for a human, or for a week.
    @Test(arguments: ["a", "a/b.bin"]) func whatAnEarlierClaimLeftIsTakenAway(place: String) async throws {
        let scene = try DirectoryScene()
        let upload = scene.upload(Self.content, chunkBytes: 300, name: "a/b.bin")
        try scene.send(upload, Self.content)
        do {
            let died = try MergeJob(upload, upload.plan!, scene.configuration, token: 1, isInterrupted: { false })
            var state = try died.begin(after: nil)
            try died.copy(&state, to: 300)
        }
        #expect(scene.parts.count == 1)
        if place != "a" {
            try FileManager.default.createDirectory(at: scene.target("a"), withIntermediateDirectories: true)
        }
        try file(scene, place)
        guard case .targetExists = try await scene.merge(upload, token: 2) else {
            Issue.record("not noticed")
            return
        }
        #expect(scene.parts.isEmpty)
    }

    @Test func aDirectoryInThePlaceOfTheTargetIsNoticedBeforeAnythingIsCopied() async throws {
        let scene = try DirectoryScene()
        let upload = scene.upload(Self.content, chunkBytes: 300)
        try scene.send(upload, Self.content)
        try FileManager.default.createDirectory(at: scene.target(), withIntermediateDirectories: true)
        guard case .targetExists(let detail) = try await scene.merge(upload) else {
            Issue.record("not noticed")
            return
        }
        #expect(detail["target"]?.string == "not a file")
        #expect(scene.checkpoints.isEmpty && scene.parts.isEmpty)
    }

    /// It leads out of the store, and is not followed: for whoever put it there, as any other file in the way.
    @Test func aLinkInTheWayIsNoticedBeforeAnythingIsCopied() async throws {
        let scene = try DirectoryScene()
        let upload = scene.upload(Self.content, chunkBytes: 300, name: "link/b.bin")
        try scene.send(upload, Self.content)
        try FileManager.default.createSymbolicLink(at: scene.target("link"), withDestinationURL: scene.base)
        guard case .targetExists(let detail) = try await scene.merge(upload) else {
            Issue.record("not noticed")
            return
        }
        #expect(detail["directory"]?.string == "link" && detail["problem"]?.string == "a symbolic link")
        #expect(scene.checkpoints.isEmpty && scene.parts.isEmpty)
    }

    // MARK: proof

    private func proof(_ scene: DirectoryScene, _ upload: Upload) async throws -> CompletionProof {
        try await scene.store.proof(upload, plan: upload.plan!, work: scene.work()).get()
    }

    @Test func aFileInTheWayIsNoProofThatNothingIsThere() async throws {
        let scene = try DirectoryScene()
        let upload = scene.upload(Self.content, chunkBytes: 300, name: "a/b/c.bin")
        try scene.send(upload, Self.content)
        #expect(try await proof(scene, upload) == .incomplete)
        try file(scene, "a")
        guard case .different(reason: "TARGET_EXISTS", let detail) = try await proof(scene, upload) else {
            Issue.record("not noticed")
            return
        }
        #expect(detail["directory"]?.string == "a")
    }

    /// Whoever had no more room on one disk moved the files to another, and left a link.
    @Test(arguments: ["a", "a/b.bin"]) func whatLiesBehindALinkIsNotTakenForAbsent(link: String) async throws {
        let scene = try DirectoryScene()
        let upload = scene.upload(Self.content, chunkBytes: 300, name: "a/b.bin")
        try scene.send(upload, Self.content)
        let elsewhere = scene.base.appending(path: "elsewhere")
        try FileManager.default.createDirectory(at: elsewhere, withIntermediateDirectories: true)
        try Data(Self.content).write(to: elsewhere.appending(path: "b.bin"))
        var destination = elsewhere
        if link != "a" {
            try FileManager.default.createDirectory(at: scene.target("a"), withIntermediateDirectories: true)
            destination = elsewhere.appending(path: "b.bin")
        }
        try FileManager.default.createSymbolicLink(at: scene.target(link), withDestinationURL: destination)
        guard case .undecided(let detail) = try await proof(scene, upload) else {
            Issue.record("decided")
            return
        }
        #expect((detail["problem"] ?? detail["target"])?.string == "a symbolic link")
    }
}
