import Foundation
import JSON
import Testing

@testable import Uploads

@Suite struct DirectoryStoreTests {
    @Test(arguments: [
        ("{id}/{index}", 0, StoreConfiguration.Directory.Layout.chunks), ("{name}_{index}", 0, .chunks),
        ("resumable-{id}.{index}", 1, .chunks), ("a/{id}/b-{name}.{index}.part", 1, .chunks),
        ("{id}/{index}", 0, .offset), ("{name}_{index}", 1, .offset),
    ])
    func everyLayoutIsMergedAndReclaimed(
        pattern: String, firstIndex: Int, layout: StoreConfiguration.Directory.Layout
    ) async throws {
        let content = DirectoryScene.content(1_000)
        for digest in [nil, DirectoryScene.digest(content)] {
            let scene = try DirectoryScene(pattern: pattern, firstIndex: firstIndex, layout: layout)
            let upload = scene.upload(content, chunkBytes: 300, sha256: digest)
            try scene.send(upload, content)
            let inventory = try await scene.inspect(upload)
            #expect(inventory.received == 4 && inventory.missing.isEmpty && inventory.oddities.isEmpty)
            guard case .published(let publication) = try await scene.merge(upload) else {
                Issue.record("not published")
                return
            }
            #expect(publication.bytes == 1_000 && publication.etag == digest)
            #expect(scene.published() == content)
            #expect(scene.visible == ["file.bin"] && scene.parts.isEmpty)
            // The worker died before it could settle: the same again.
            let state = scene.notes.withLock { $0.last?.state }
            #expect(try await scene.merge(upload, token: 2, state: state) == .published(publication))
            #expect(scene.published() == content)
            let work = scene.work(state: scene.notes.withLock { $0.last?.state })
            let bytes = try await scene.store.reclaim(upload, plan: upload.plan!, work: work).get()
            #expect(bytes == (layout == .chunks ? 1_000 : 0))
            #expect(try await scene.inspect(upload).received == 0)
            #expect(scene.published() == content)
        }
    }

    @Test(arguments: [(0, 0), (0, 1), (1, 1), (599, 1), (600, 2), (899, 2)])
    func lastChunksOfAnySize(total: Int, count: Int) async throws {
        let scene = try DirectoryScene()
        let content = DirectoryScene.content(total)
        let upload = scene.upload(content, chunkBytes: 300, count: count)
        if count > 0 { try scene.send(upload, content) }
        #expect(try await scene.inspect(upload).missing.isEmpty)
        try await scene.publish(upload)
        #expect(scene.published() == content)
    }

    @Test func whatIsWrongIsNamed() async throws {
        let scene = try DirectoryScene()
        let content = DirectoryScene.content(3_000)
        let upload = scene.upload(content, chunkBytes: 300)
        try scene.send(upload, content, only: [0, 1, 2, 3, 4, 5, 8])
        try Data(content[0..<10]).write(to: scene.chunk("s1/1"))
        try Data(content[0..<400]).write(to: scene.chunk("s1/2"))
        try FileManager.default.removeItem(at: scene.chunk("s1/3"))
        try FileManager.default.createDirectory(at: scene.chunk("s1/3"), withIntermediateDirectories: true)
        try FileManager.default.removeItem(at: scene.chunk("s1/4"))
        try FileManager.default.createSymbolicLink(
            at: scene.chunk("s1/4"), withDestinationURL: URL(filePath: "/etc/passwd"))
        try Data(content[0..<300]).write(to: scene.chunk("s1/05"))
        try Data().write(to: scene.chunk("s1/10"))
        #expect(unsafe mkfifo(scene.chunk("s1/6").path, 0o600) == 0)
        let inventory = try await scene.inspect(upload)
        #expect(inventory.missing.description == "1-7,9")
        #expect(inventory.received == 2)
        let kinds = Dictionary(uniqueKeysWithValues: inventory.oddities.map { ($0.number, $0.kind) })
        #expect(
            kinds == [
                1: .short, 2: .oversize, 3: .notAFile, 4: .notAFile, 5: .duplicate, 6: .notAFile, 10: .extra,
            ])
        #expect(try await scene.merge(upload) == .chunksChanged)
        #expect(scene.visible.isEmpty)
    }

    @Test(arguments: [
        "../out", "/etc/x", "a/../b", "a//b", ".", "", "a/./b", "x\ny", ".reconciled/parts/x", "\u{0}",
        String(repeating: "n", count: 256), "../\u{301}x", "a/\u{301}/../b",
    ])
    func namesStayInTheStore(name: String) async throws {
        for pattern in ["{id}/{index}", "{name}_{index}"] {
            let scene = try DirectoryScene(pattern: pattern)
            let upload = scene.upload([1, 2, 3], chunkBytes: 3, name: name)
            let found = await scene.store.inspect(upload, plan: upload.plan!, work: scene.work())
            #expect(throws: StoreFault.self) { try found.get() }
            guard case .failure(let fault) = found else { continue }
            #expect(fault.kind == .invalid(reason: "INVALID_NAME"))
            guard case .fault = try await scene.merge(upload) else {
                Issue.record("merged \(name)")
                continue
            }
        }
    }

    @Test func aSymbolicLinkLeadsNowhere() async throws {
        let scene = try DirectoryScene()
        let outside = scene.base.appending(path: "outside")
        try FileManager.default.createDirectory(at: outside, withIntermediateDirectories: true)
        try Data([1, 2, 3]).write(to: outside.appending(path: "0"))
        try FileManager.default.createSymbolicLink(at: scene.chunk("s1"), withDestinationURL: outside)
        let upload = scene.upload([1, 2, 3], chunkBytes: 3)
        let found = await scene.store.inspect(upload, plan: upload.plan!, work: scene.work())
        if case .success(let inventory) = found { #expect(inventory.received == 0) }
        try FileManager.default.createSymbolicLink(at: scene.target("dir"), withDestinationURL: outside)
        let other = scene.upload([1, 2, 3], chunkBytes: 3, id: "s2", name: "dir/file")
        try scene.send(other, [1, 2, 3])
        _ = try await scene.merge(other)
        #expect(!FileManager.default.fileExists(atPath: outside.appending(path: "file").path))
    }

    @Test func aWrongDigestKeepsTheChunksAndNamesSuspects() async throws {
        let scene = try DirectoryScene()
        var content = DirectoryScene.content(900)
        let upload = scene.upload(content, chunkBytes: 300, sha256: DirectoryScene.digest(content))
        content.replaceSubrange(300..<600, with: [UInt8](repeating: 0, count: 300))
        try scene.send(upload, content)
        guard case .digestMismatch(let detail) = try await scene.merge(upload) else {
            Issue.record("no mismatch")
            return
        }
        #expect(detail["suspects"]?.text.contains(#""chunk":1"#) == true)
        #expect(scene.visible.isEmpty && scene.parts.isEmpty)
        #expect(try await scene.inspect(upload).received == 3)
    }

    @Test func aTargetThatIsThereIsComparedAndNeverReplaced() async throws {
        let content = DirectoryScene.content(900)
        for digest in [nil, DirectoryScene.digest(content)] {
            let scene = try DirectoryScene()
            let upload = scene.upload(content, chunkBytes: 300, sha256: digest)
            try scene.send(upload, content)
            try Data(content).write(to: scene.target())
            try await scene.publish(upload)
            var other = content
            other[450] ^= 1
            for wrong in [other, Array(content.dropLast()), []] {
                try Data(wrong).write(to: scene.target())
                guard case .targetExists = try await scene.merge(upload) else {
                    Issue.record("taken as published")
                    return
                }
                #expect(scene.published() == wrong)
            }
        }
    }

    @Test func proofBeforeExpiry() async throws {
        let content = DirectoryScene.content(900)
        let scene = try DirectoryScene()
        let plain = scene.upload(content, chunkBytes: 300)
        let known = scene.upload(content, chunkBytes: 300, sha256: DirectoryScene.digest(content))
        func proof(_ upload: Upload) async throws -> CompletionProof {
            try await scene.store.proof(upload, plan: upload.plan!, work: scene.work()).get()
        }
        #expect(try await proof(plain) == .incomplete)
        try Data(content).write(to: scene.target())
        guard case .complete = try await proof(known) else {
            Issue.record("complete, yet not proved")
            return
        }
        guard case .undecided = try await proof(plain) else {
            Issue.record("decided without evidence")
            return
        }
        func difference(_ upload: Upload) async throws -> String? {
            if case .different(let reason, _) = try await proof(upload) { reason } else { nil }
        }
        try scene.send(plain, DirectoryScene.content(900, seed: 2), only: [1])
        #expect(try await difference(plain) == "TARGET_EXISTS")
        try Data(DirectoryScene.content(900, seed: 2)).write(to: scene.target())
        #expect(try await difference(known) == "DIGEST_MISMATCH")
        try Data(content.dropLast()).write(to: scene.target())
        #expect(try await difference(known) == "SIZE_MISMATCH")
        try FileManager.default.removeItem(at: scene.target())
        try FileManager.default.createDirectory(at: scene.target(), withIntermediateDirectories: true)
        #expect(try await difference(known) == "TARGET_EXISTS")
    }

    @Test func whatExpiredGoesToTheTrashFirst() async throws {
        let scene = try DirectoryScene(pattern: "{name}_{index}")
        let content = DirectoryScene.content(900)
        let upload = scene.upload(content, chunkBytes: 300)
        let neighbour = scene.upload(content, chunkBytes: 300, id: "s2", name: "other.bin")
        try scene.send(upload, content, only: [0, 2])
        try scene.send(neighbour, content)
        for _ in 0..<2 {
            let discarded = try await scene.store.discard(upload, plan: upload.plan!, work: scene.work()).get()
            #expect(discarded == Discarded(bytes: 600, isKept: true))
        }
        #expect(try await scene.inspect(upload).received == 0)
        #expect(try await scene.inspect(neighbour).received == 3)
        #expect(try await scene.store.purge(upload, plan: upload.plan!, work: scene.work()).get() == 600)
        #expect(try await scene.store.purge(upload, plan: upload.plan!, work: scene.work()).get() == 0)
        #expect(try await scene.inspect(neighbour).received == 3)
    }

    @Test func aFileFromTheFutureIsOneLikeOthers() async throws {
        let scene = try DirectoryScene()
        let upload = scene.upload([1, 2, 3], chunkBytes: 3)
        try scene.send(upload, [1, 2, 3])
        // Beyond what nanoseconds in 64 bits can say.
        let times = [timespec(tv_sec: 32_503_680_000, tv_nsec: 0), timespec(tv_sec: 32_503_680_000, tv_nsec: 0)]
        #expect(unsafe utimensat(AT_FDCWD, scene.chunk("s1/0").path, times, 0) == 0)
        #expect(try await scene.inspect(upload).received == 1)
        try await scene.publish(upload)
    }

    @Test(arguments: [
        (0, 64), (1, 64), (128, 64), (129, 64), (159, 64), (160, 80), (1_024, 512), (2_048, 1_024), (40_960, 1_024),
    ])
    func aLargeFileHasALongerWayFromCheckpointToCheckpoint(mebibytes: Int64, interval: Int64) {
        #expect(DirectoryStore.checkpointBytes(ofFile: mebibytes << 20) == interval << 20)
    }
}
