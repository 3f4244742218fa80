import Foundation
import Glibc
import TestSupport
import Testing

/// The real binary on disks that fill up, fail, hang and vanish, and with chunks that change under its hands.
@Suite(.serialized, .timeLimit(.minutes(5))) struct UploadDiskTests {
    private static let interval = Int64(64 << 20)

    // MARK: disks

    @Test(.enabled(if: Tmpfs.isPermitted, "file systems cannot be mounted here"))
    func aFileSystemThatFillsUpIsWaitedForAndDamagesNothing() async throws {
        try await withUploadScene { scene in
            let disk = try Tmpfs(on: scene.files, mebibytes: 40)
            defer { try? disk.unmount() }
            try await scene.add("large", mebibytes: 60)
            try await scene.add("small", mebibytes: 10)
            let poller = try scene.startPoller()
            // One waits, and holds up no other.
            try await scene.isMergedOnce("small", mebibytes: 10, "beside one that has no room")
            try await eventually("it waits for space") {
                try await scene.column("last_error", of: "large")?.contains("Not enough space") == true
            }
            #expect(try await scene.column("status", of: "large") == "merging")
            try scene.holdsNothingBut(["small"])
            try disk.remount("size=200m")
            try await scene.isMergedOnce("large", mebibytes: 60, "when there is room")
            scene.stop(poller)
            try scene.holdsNothingBut(["small", "large"])
        }
    }

    /// There is room for bytes, and none for a name.
    @Test(.enabled(if: Tmpfs.isPermitted, "file systems cannot be mounted here"))
    func aFileSystemWithoutInodesIsWaitedForToo() async throws {
        try await withUploadScene { scene in
            let disk = try Tmpfs(on: scene.files, mebibytes: 100, inodes: 3)
            defer { try? disk.unmount() }
            try await scene.add("film", mebibytes: 10)
            let poller = try scene.startPoller()
            try await eventually("it waits for space") {
                try await scene.column("last_error", of: "film")?.contains("Not enough space") == true
            }
            #expect(try await scene.column("status", of: "film") == "merging")
            try disk.remount("nr_inodes=1000")
            try await scene.isMergedOnce("film", mebibytes: 10, "when there is room")
            scene.stop(poller)
            try scene.holdsNothingBut(["film"])
        }
    }

    /// Space that was there when the merge began, a sector that cannot be read, a cache that was not written.
    @Test(arguments: [
        ("copy_file_range", "ENOSPC", false, true), ("pwrite64", "ENOSPC", true, true), ("pread64", "EIO", true, true),
        ("fdatasync", "EIO", false, false),
    ])
    func aDiskThatFailsInMidCopyCostsNoMoreThanItMust(
        call: String, error: String, isDigestKnown: Bool, keepsPrefix: Bool
    ) async throws {
        try await withUploadScene { scene in
            try await scene.add("film", mebibytes: 150, isDigestKnown: isDigestKnown)
            // The first calls go well, up to the checkpoint and a little further.
            let number = ["copy_file_range": 12, "pwrite64": 560, "pread64": 560, "fdatasync": 2][call] ?? 0
            let copying = "copy_file_range,pwrite64"
            let calls = copying.contains(call) ? copying : "\(copying),\(call)"
            let poller = try scene.startPoller(
                faults: scene.traced("poller", calls: calls, "\(call):error=\(error):when=\(number)"))
            try await scene.isMergedOnce("film", mebibytes: 150, "\(call) \(error)")
            scene.stop(poller)
            let copied = try scene.copiedBytes("poller")
            let total = Int64(150 << 20)
            if keepsPrefix {
                #expect(copied <= total + Self.interval, "what was noted was copied again")
            } else {
                #expect(copied >= total + Self.interval, "what may not be on the disk was kept")
            }
            let failed = try await scene.count(
                "SELECT count(*) FROM reconciled.checks WHERE reason IN ('NO_SPACE', 'UNAVAILABLE')")
            #expect(failed == 1)
            try scene.holdsNothingBut(["film"])
        }
    }

    @Test(.enabled(if: Tmpfs.isPermitted, "file systems cannot be mounted here"))
    func aReadOnlyStorePausesItsLaneAndIsGoneOnWithWhenItIsNot() async throws {
        try await withUploadScene { scene in
            let disk = try Tmpfs(on: scene.files, mebibytes: 100)
            defer { try? disk.unmount() }
            try disk.remount("ro")
            try await Self.pauses(scene, "Read-only file system", status: "merging") {
                #expect(try FileManager.default.contentsOfDirectory(atPath: scene.files.path) == [])
                try disk.remount("rw")
            }
        }
    }

    @Test func aVanishedStorePausesItsLaneAndIsGoneOnWithWhenItIsBack() async throws {
        try await withUploadScene { scene in
            let away = scene.chunks.deletingLastPathComponent().appending(path: "away")
            try await Self.pauses(scene, "No such file or directory", status: "receiving") {
                try FileManager.default.moveItem(at: away, to: scene.chunks)
            } before: {
                try FileManager.default.moveItem(at: scene.chunks, to: away)
            }
        }
    }

    /// Too few sessions are due for the lane to pause: then they tell by themselves.
    @Test func aVanishedStoreIsToldByItsOnlySession() async throws {
        try await withUploadScene { scene in
            try await scene.add("film", mebibytes: 2)
            let away = scene.chunks.deletingLastPathComponent().appending(path: "away")
            try FileManager.default.moveItem(at: scene.chunks, to: away)
            let poller = try scene.startPoller()
            try await eventually("it tells", within: .seconds(20)) {
                try await scene.column("last_error", of: "film")?.contains("No such file or directory") == true
            }
            #expect(try await scene.count("SELECT count(*) FROM reconciled.lanes WHERE pause_reason IS NOT NULL") == 0)
            #expect(try await scene.column("failure_count", of: "film") == "0")
            try FileManager.default.moveItem(at: away, to: scene.chunks)
            try await scene.isMergedOnce("film", mebibytes: 2, "when it is back")
            #expect(try await scene.column("last_error", of: "film") == nil)
            scene.stop(poller)
        }
    }

    /// Three sessions fail for what no row is to blame for; nothing is written about them, and when it is mended all go on.
    private static func pauses(
        _ scene: UploadScene, _ why: String, status: String, _ mend: () async throws -> Void,
        before: () throws -> Void = {}
    ) async throws {
        let ids = ["one", "two", "three"]
        for id in ids { try await scene.add(id, mebibytes: 2) }
        try before()
        let poller = try scene.startPoller(concurrency: 4)
        try await eventually("the lane is paused") {
            try await scene.count("SELECT count(*) FROM reconciled.lanes WHERE pause_reason LIKE '%\(why)%'") == 1
        }
        for id in ids {
            #expect(try await scene.column("status", of: id) == status)
            #expect(try await scene.column("failure_count", of: id) == "0")
        }
        try await mend()
        // Whoever mended it says so; else it is asked once a minute.
        poller.send(SIGHUP)
        for id in ids { try await scene.isMergedOnce(id, mebibytes: 2, "mended") }
        scene.stop(poller)
    }

    /// Its mount answers nobody; the sessions of the other store do not notice.
    @Test func aStoreThatHangsHoldsUpNoOther() async throws {
        try await withUploadScene { scene in
            let sick = scene.chunks.deletingLastPathComponent().appending(path: "sick")
            try FileManager.default.createDirectory(at: sick, withIntermediateDirectories: true)
            for index in 0..<20 { try await scene.add("sick-\(index)", mebibytes: 1, store: "sick") }
            let poller = try scene.startPoller(
                faults: ["-o", "/dev/null", "-P", sick.path, "-e", "inject=openat:delay_enter=20000000"],
                more: """
                      sick: { kind: directory, chunks: \(sick.path), target: \(scene.files.path), quiescence: 0ms }
                    """)
            try await eventually("the sick store's sessions are under check") {
                try await scene.count(
                    "SELECT count(*) FROM reconciled.uploads WHERE store = 'sick' AND lease_expires_at > now()") == 20
            }
            for index in 0..<10 { try await scene.add("sound-\(index)", mebibytes: 1) }
            for index in 0..<10 { try await scene.isMergedOnce("sound-\(index)", mebibytes: 1, "beside a sick one") }
            #expect(
                try await scene.count(
                    "SELECT count(*) FROM reconciled.uploads WHERE store = 'sick' AND check_count > 0") == 0)
            poller.kill9()
        }
    }

    // MARK: chunks

    /// As when its client runs as another user with a narrow umask: the row tells which chunk it is, and is tried again.
    @Test func aChunkThatMayNotBeReadIsTheRowsTroubleAndNotTheStores() async throws {
        try await withUploadScene { scene in
            try await scene.add("film", mebibytes: 20)
            // In the session's directory: the listing of the first look, that of the merge's, and then the chunks.
            let poller = try scene.startPoller(
                faults: [
                    "-o", "/dev/null", "-P", scene.chunks.appending(path: "film").path, "-e",
                    "inject=openat:error=EACCES:when=4",
                ])
            try await eventually("the chunk is named") {
                try await scene.column("last_error", of: "film")?
                    .contains("Chunk 1 (“film/1”) cannot be read: openat: Permission denied") == true
            }
            #expect(try await scene.column("status", of: "film") == "merging")
            #expect(try await scene.column("last_verdict", of: "film") == "failed")
            #expect(try await scene.count("SELECT count(*) FROM reconciled.lanes WHERE pause_reason IS NOT NULL") == 0)
            try await scene.isMergedOnce("film", mebibytes: 20, "when it may be read")
            #expect(try await scene.count("SELECT count(*) FROM reconciled.checks WHERE reason = 'UNREADABLE'") == 1)
            scene.stop(poller)
            try scene.holdsNothingBut(["film"])
        }
    }

    /// The application merged by itself: what it wrote is durable before a chunk goes.
    @Test func whatSomeoneElseMergedIsDurableBeforeItsChunksGo() async throws {
        try await withUploadScene { scene in
            try await scene.add("film", mebibytes: 2)
            let target = scene.files.appending(path: "below/film")
            try FileManager.default.createDirectory(
                at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
            try FileManager.default.copyItem(at: scene.chunk("film", 0), to: target)
            try await scene.execute("UPDATE reconciled.uploads SET status = 'complete', next_check_at = now()")
            let poller = try scene.startPoller(
                faults: ["-o", "/dev/null", "-P", target.path, "-e", "inject=fsync:error=EIO:when=1"])
            try await eventually("the disk's fault is told") {
                try await scene.column("last_error", of: "film")?.contains("fsync: Input/output error") == true
            }
            #expect(try await scene.column("progress -> 'reclaim_at'", of: "film") == nil)
            try await eventually("it is proved when the disk is well") {
                try await scene.column("progress -> 'reclaim_at'", of: "film") != nil
            }
            scene.stop(poller)
        }
    }

    @Test(arguments: ["grows", "shrinks", "is replaced"]) func aChunkThatChangesDuringTheCopyIsNoticed(how: String)
        async throws
    {
        try await withUploadScene { scene in
            try await scene.add("film", mebibytes: 150)
            let poller = try scene.startPoller(
                faults: scene.traced("poller", calls: "copy_file_range", "copy_file_range:delay_enter=60000"))
            try await eventually("a checkpoint is noted") { try await scene.mergedBytes("film") > 0 }
            // One that is copied already, and one that is not.
            let whole = try [0, 17].map { try Data(contentsOf: scene.chunk("film", $0)) }
            for (place, index) in [0, 17].enumerated() {
                switch how {
                case "grows": try (whole[place] + [1]).write(to: scene.chunk("film", index))
                case "shrinks": try whole[place].dropLast().write(to: scene.chunk("film", index))
                default: try Data(repeating: UInt8(index), count: 8 << 20).write(to: scene.chunk("film", index))
                }
            }
            if how == "is replaced" {
                try await eventually("it is merged anew", within: .seconds(60)) {
                    try await scene.column("status", of: "film") == "complete"
                }
                let merged = try Data(contentsOf: scene.files.appending(path: "below/film"))
                #expect(merged.prefix(8 << 20) == Data(repeating: 0, count: 8 << 20))
                #expect(merged[(17 * 8 << 20)..<(18 * 8 << 20)] == Data(repeating: 17, count: 8 << 20))
            } else {
                try await eventually("they are named", within: .seconds(60)) {
                    try await scene.column("missing", of: "film") == "0,17"
                }
                #expect(try await scene.column("status", of: "film") == "receiving")
                let kind = how == "grows" ? "oversize" : "short"
                #expect(try await scene.column("review_detail", of: "film")?.contains(kind) == true)
                #expect(try FileManager.default.contentsOfDirectory(atPath: scene.files.path) == [".reconciled"])
                for (place, index) in [0, 17].enumerated() { try whole[place].write(to: scene.chunk("film", index)) }
                try await scene.isMergedOnce("film", mebibytes: 150, "sent again")
            }
            #expect(
                try await scene.count("SELECT count(*) FROM reconciled.checks WHERE reason = 'CHUNKS_CHANGED'") > 0)
            scene.stop(poller)
            try scene.holdsNothingBut(["film"])
        }
    }

    @Test func namesAndLinksThatLeadOutOfTheStoreTouchNothingThere() async throws {
        try await withUploadScene { scene in
            let manager = FileManager.default
            let outside = scene.chunks.deletingLastPathComponent().appending(path: "outside")
            try manager.createDirectory(at: outside, withIntermediateDirectories: true)
            try Data("precious".utf8).write(to: outside.appending(path: "canary"))
            let names = [
                "../outside/new", "/tmp/absolute", "a/../../outside/canary", "line\nbreak", ".reconciled/parts/x",
                "link/new",
            ]
            for (index, name) in names.enumerated() { try await scene.add("n\(index)", mebibytes: 1, name: name) }
            try manager.createSymbolicLink(at: scene.files.appending(path: "link"), withDestinationURL: outside)
            // Ids lead into the chunks' names: their chunks are another's.
            for (index, id) in ["../outside", "..", "a/b"].enumerated() {
                try await scene.execute(
                    """
                    INSERT INTO reconciled.uploads (id, store, name, total_bytes, chunk_bytes, chunk_count, next_check_at)
                    VALUES ('\(id)', 'disk', 'i\(index)', 8, 8, 1, now())
                    """)
            }
            // A chunk that is a directory, and one that is a link to what is not the session's.
            try await scene.add("odd", mebibytes: 3, chunk: 1)
            try manager.removeItem(at: scene.chunk("odd", 0))
            try manager.createDirectory(at: scene.chunk("odd", 0), withIntermediateDirectories: true)
            try manager.removeItem(at: scene.chunk("odd", 2))
            try manager.createSymbolicLink(
                at: scene.chunk("odd", 2), withDestinationURL: outside.appending(path: "canary"))
            try await scene.add("sound", mebibytes: 1)
            let poller = try scene.startPoller()
            try await eventually("all are looked at") {
                try await scene.count("SELECT count(*) FROM reconciled.uploads WHERE status = 'review'") == 9
            }
            let ofName = try await scene.count(
                "SELECT count(*) FROM reconciled.uploads WHERE review_reason = 'INVALID_NAME'")
            #expect(ofName == 8)
            // Its name is a name; what stands in the way is for whoever put it there.
            #expect(try await scene.column("review_reason", of: "n5") == "TARGET_EXISTS")
            try await eventually("the odd chunks are named") {
                try await scene.column("missing", of: "odd") == "0,2"
            }
            #expect(try await scene.column("review_detail", of: "odd")?.contains("not_a_file") == true)
            try await scene.isMergedOnce("sound", mebibytes: 1, "beside them")
            scene.stop(poller)
            #expect(try manager.contentsOfDirectory(atPath: outside.path) == ["canary"])
            #expect(try Data(contentsOf: outside.appending(path: "canary")) == Data("precious".utf8))
            #expect(!manager.fileExists(atPath: "/tmp/absolute"))
            #expect(
                try manager.contentsOfDirectory(atPath: scene.files.path).sorted() == [".reconciled", "below", "link"])
        }
    }
}
