import Foundation
import Testing
import Timeline

@testable import Uploads

/// What a client named or placed otherwise than the store's pattern has it: told on the row, and never taken for a chunk.
@Suite struct DirectoryOddityTests {
    private static let content = DirectoryScene.content(900)
    /// Patterns, and what a client that pads its numbers sends.
    private static let paddings = [
        ("{id}/{index}", "s1/00"), ("{name}_{index}", "file.bin_00"), ("part-{id}.{index}", "part-s1.00"),
    ]

    private func check(_ scene: DirectoryScene, _ upload: Upload) async -> WatchedSession {
        let reconciler = UploadReconciler(lanes: ["local": UploadLane(store: scene.store, policy: Session.policy)])
        var session = WatchedSession(upload)
        session.upload.createdAt = Session.now
        #expect(await session.check(reconciler))
        #expect(session.last?.verdict == .recheck && session.last?.reason == "CHUNKS_MISSING")
        return session
    }

    @Test(arguments: paddings) func chunksWhoseNumbersArePaddedAreNamed(pattern: String, padded: String) async throws {
        let scene = try DirectoryScene(pattern: pattern)
        let upload = scene.upload(Self.content, chunkBytes: 300)
        try scene.send(upload, Self.content, only: [2])
        for index in 0...1 { try Data(Self.content[0..<300]).write(to: scene.chunk("\(padded)\(index)")) }
        let inventory = try await scene.inspect(upload)
        #expect(inventory.missing.description == "0-1" && inventory.received == 1)
        #expect(inventory.oddities == [.init(number: 0, kind: .misnamed), .init(number: 1, kind: .misnamed)])
        let session = await check(scene, upload)
        #expect(session.last?.change?.reviewDetail?.contains("misnamed") == true)
        #expect(session.last?.change?.missing == "0-1" && session.last?.change?.reviewReason == nil)
    }

    /// What its client sends is of no use to anyone; but it sends, and the session does not expire under its hands.
    @Test(arguments: paddings) func aFileUnderAWrongNameIsActivity(pattern: String, padded: String) async throws {
        let scene = try DirectoryScene(pattern: pattern)
        let upload = scene.upload(Self.content, chunkBytes: 300)
        try scene.send(upload, Self.content, only: [2])
        let times = [timespec(tv_sec: 86_400, tv_nsec: 0), timespec(tv_sec: 86_400, tv_nsec: 0)]
        let naming = try ChunkNaming(upload, pattern: pattern, firstIndex: 0)
        let chunk = scene.chunk((naming.path + [naming.fileName(2)]).joined(separator: "/"))
        #expect(unsafe utimensat(AT_FDCWD, chunk.path, times, 0) == 0)
        let before = try await scene.inspect(upload)
        #expect(before.lastActivityAt == Timestamp(microseconds: 86_400_000_000))
        try Data(Self.content[0..<300]).write(to: scene.chunk("\(padded)0"))
        let after = try await scene.inspect(upload)
        #expect(after.lastActivityAt.map { $0 > Timestamp.wallClock - .seconds(3_600) } == true)
        #expect(after.fingerprint == before.fingerprint && after.received == 1)
    }

    /// Each missing chunk would cost nine looks: all are named alike, so the first tell.
    @Test func ofManyMisnamedChunksInASharedDirectoryTheFirstAreNamed() async throws {
        let scene = try DirectoryScene(pattern: "{name}_{index}")
        let upload = scene.upload(Self.content, chunkBytes: 100)
        for index in 0..<9 { try Data(Self.content[0..<100]).write(to: scene.chunk("file.bin_0\(index)")) }
        let inventory = try await scene.inspect(upload)
        #expect(inventory.oddities == (0..<3).map { ChunkOddity(number: $0, kind: .misnamed) })
        #expect(inventory.missing.description == "0-8")
    }

    /// Others' directories are not listed: a name too long for the file system is no name either.
    @Test func aNameThatLeavesNoRoomForPaddingIsNoFault() async throws {
        let scene = try DirectoryScene(pattern: "{name}_{index}")
        let upload = scene.upload(Self.content, chunkBytes: 300, name: String(repeating: "n", count: 250))
        try scene.send(upload, Self.content, only: [1])
        #expect(try await scene.inspect(upload).missing.description == "0,2")
    }

    @Test(arguments: [true, false]) func whatIsInThePlaceOfTheSessionsDirectoryIsSaid(isLink: Bool) async throws {
        let scene = try DirectoryScene()
        let upload = scene.upload(Self.content, chunkBytes: 300)
        #expect(try await scene.inspect(upload).obstacle == nil)
        if isLink {
            let outside = scene.base.appending(path: "outside")
            try FileManager.default.createDirectory(at: outside, withIntermediateDirectories: true)
            for index in 0...2 { try Data(Self.content[0..<300]).write(to: outside.appending(path: "\(index)")) }
            try FileManager.default.createSymbolicLink(at: scene.chunk("s1"), withDestinationURL: outside)
        } else {
            try Data().write(to: scene.chunk("s1"))
        }
        let session = await check(scene, upload)
        #expect(session.last?.error?.contains("“s1”") == true)
        #expect(session.last?.change?.missing == "0-2" && session.last?.change?.reviewReason == nil)
    }

    @Test(arguments: ["directory", "link", "nothing"])
    func whatIsInThePlaceOfTheDataFileIsSaid(instead: String) async throws {
        let scene = try DirectoryScene(layout: .offset)
        let upload = scene.upload(Self.content, chunkBytes: 300)
        try scene.send(upload, Self.content)
        let data = scene.chunk("s1/data")
        let outside = scene.base.appending(path: "outside")
        try FileManager.default.moveItem(at: data, to: outside)
        switch instead {
        case "directory": try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
        case "link": try FileManager.default.createSymbolicLink(at: data, withDestinationURL: outside)
        default: break
        }
        let session = await check(scene, upload)
        #expect(session.last?.error?.contains("“s1/data”") == true)
        #expect(session.last?.change?.missing == "0-2")
        if instead != "nothing" { try FileManager.default.removeItem(at: data) }
        try FileManager.default.moveItem(at: outside, to: data)
        #expect(try await scene.inspect(upload).obstacle == nil)
    }
}
