import Foundation
import TestSupport
import Testing

/// The real binary merging real files while it is killed, frozen and robbed of its leases: each file must be there once,
/// whole, and nothing beside it.
@Suite(.serialized, .timeLimit(.minutes(5))) struct UploadFaultTests {
    /// A call at which the poller dies, before the kernel carries it out.
    struct Step {
        var call: String
        /// The how many-th in its thread.
        var number = 1
        var isDigestKnown = false
        var mebibytes = 20
        /// An earlier poller died in its first call of this kind, and has left a part.
        var isSecond = false

        var faults: [String] {
            ["-o", "/dev/null", "-e", "trace=\(call)", "-e", "inject=\(call):signal=KILL:when=\(number)"]
        }
    }

    @Test func aPollerKilledAtAnyStepOfAMergeLeavesItToTheNext() async throws {
        let steps = [
            Step(call: "mkdirat"), Step(call: "flock"), Step(call: "fallocate"),
            Step(call: "unlinkat", isSecond: true), Step(call: "renameat2", mebibytes: 200, isSecond: true),
            Step(call: "copy_file_range"), Step(call: "copy_file_range", number: 3),
            Step(call: "pwrite64", isDigestKnown: true), Step(call: "pwrite64", number: 3, isDigestKnown: true),
            Step(call: "fdatasync"), Step(call: "fdatasync", number: 2, mebibytes: 200),
            Step(call: "fsync"), Step(call: "fsync", number: 2), Step(call: "renameat2"),
            Step(call: "renameat2", isDigestKnown: true),
        ]
        try await withUploadScene { scene in
            var ids: [String] = []
            for (index, step) in steps.enumerated() {
                let id = "\(index)-\(step.call)-\(step.number)"
                ids.append(id)
                try await scene.add(id, mebibytes: step.mebibytes, isDigestKnown: step.isDigestKnown)
                if step.isSecond {
                    let number = step.mebibytes > 64 ? 14 : 2
                    let first = try scene.startPoller(faults: Step(call: "copy_file_range", number: number).faults)
                    #expect(try await first.end() == 128 + SIGKILL, "\(step): \(first.output)")
                    try await scene.lapseLeases()
                }
                let killed = try scene.startPoller(faults: step.faults)
                #expect(try await killed.end() == 128 + SIGKILL, "\(step): \(killed.output)")
                try await scene.lapseLeases()
                let heir = try scene.startPoller()
                try await scene.isMergedOnce(id, mebibytes: step.mebibytes, "\(step)")
                scene.stop(heir)
                try scene.holdsNothingBut(ids)
            }
        }
    }

    /// Killed between two checkpoints; what was noted is not written again.
    @Test(arguments: [false, true]) func aResumedMergeCopiesAtMostOneIntervalAgain(isDigestKnown: Bool) async throws {
        let call = isDigestKnown ? "pwrite64" : "copy_file_range"
        let (total, interval) = (Int64(300 << 20), Int64(144 << 20))
        try await withUploadScene { scene in
            try await scene.add("film", mebibytes: 300, isDigestKnown: isDigestKnown)
            let delay = isDigestKnown ? 400 : 30_000
            let first = try scene.startPoller(
                faults: scene.traced("first", calls: call, "\(call):delay_enter=\(delay)"))
            try await eventually("two checkpoints are noted", within: .seconds(60)) {
                try await scene.mergedBytes("film") >= 2 * interval
            }
            first.kill9()
            let noted = try await scene.mergedBytes("film")
            #expect(noted < total)
            try await scene.lapseLeases()
            let heir = try scene.startPoller(faults: scene.traced("heir", calls: call))
            try await scene.isMergedOnce("film", mebibytes: 300, "resumed")
            scene.stop(heir)
            #expect(try scene.copiedBytes("heir") == total - noted)
            #expect(try scene.copiedBytes("first") + scene.copiedBytes("heir") <= total + interval)
            try scene.holdsNothingBut(["film"])
        }
    }

    @Test func aPollerFrozenInAMergeChangesNothingWhenItThaws() async throws {
        try await withUploadScene { scene in
            try await scene.add("film", mebibytes: 200)
            let frozen = try scene.startPoller(
                faults: scene.traced("frozen", calls: "copy_file_range", "copy_file_range:delay_enter=50000"))
            try await eventually("a checkpoint is noted") { try await scene.mergedBytes("film") > 0 }
            frozen.send(SIGSTOP)
            try await eventually("its lease lapses") {
                try await scene.count("SELECT count(*) FROM reconciled.uploads WHERE lease_expires_at > now()") == 0
            }
            let heir = try scene.startPoller()
            try await scene.isMergedOnce("film", mebibytes: 200, "by the heir")
            let before = try await scene.ledger()
            // It is back when it has merged what nobody else can have merged.
            heir.send(SIGSTOP)
            try await scene.add("next", mebibytes: 1)
            frozen.send(SIGCONT)
            try await scene.isMergedOnce("next", mebibytes: 1, "by the one that thawed")
            heir.send(SIGCONT)
            #expect(try await scene.ledger().filter { !$0.hasPrefix("next ") } == before)
            try await scene.isMergedOnce("film", mebibytes: 200, "after the thaw")
            scene.stop(frozen)
            scene.stop(heir)
            try scene.holdsNothingBut(["film", "next"])
        }
    }

    /// The last look at the lease is done, the rename is not: a chunk is sent again meanwhile, and another publishes it.
    @Test func aPollerFrozenBeforeItsRenameDoesNotPublishWhatIsPast() async throws {
        try await withUploadScene { scene in
            try await scene.add("film", mebibytes: 20)
            let frozen = try scene.startPoller(
                faults: scene.traced("frozen", calls: "renameat2", "renameat2:delay_enter=8000000:when=1"))
            try await eventually("it is about to publish") { try await scene.mergedBytes("film") == 20 << 20 }
            frozen.send(SIGSTOP)
            // Other bytes of the same length.
            try Data(repeating: 7, count: 8 << 20).write(to: scene.chunk("film", 1))
            try await eventually("its lease lapses") {
                try await scene.count("SELECT count(*) FROM reconciled.uploads WHERE lease_expires_at > now()") == 0
            }
            let heir = try scene.startPoller()
            try await eventually("the heir is done", within: .seconds(30)) {
                try await scene.column("status", of: "film") == "complete"
            }
            frozen.send(SIGCONT)
            try await scene.add("next", mebibytes: 1)
            heir.send(SIGSTOP)
            try await scene.isMergedOnce("next", mebibytes: 1, "by the one that thawed")
            heir.send(SIGCONT)
            let merged = try Data(contentsOf: scene.files.appending(path: "below/film"))
            #expect(merged.count == 20 << 20)
            #expect(merged[(8 << 20)..<(16 << 20)].allSatisfy { $0 == 7 })
            scene.stop(frozen)
            scene.stop(heir)
            try scene.holdsNothingBut(["film", "next"])
        }
    }

    @Test func twoPollersThatRobEachOtherOfOneSessionPublishItOnce() async throws {
        try await withUploadScene { scene in
            let sizes = [200, 150, 20]
            for (index, size) in sizes.enumerated() {
                try await scene.add("\(index)", mebibytes: size, isDigestKnown: index == 1)
            }
            let slow = ["copy_file_range:delay_enter=20000", "pwrite64:delay_enter=250"]
            let pollers = try ["one", "two"].map { name in
                try scene.startPoller(
                    faults: scene.traced(name, calls: "copy_file_range,pwrite64", slow[0], slow[1]), concurrency: 4)
            }
            // A sixth claim in a row that came to no checkpoint would be one too many.
            for _ in 0..<4 {
                try await eventually("someone merges, or all is done") {
                    try await scene.count(
                        """
                        SELECT count(*) FROM reconciled.uploads
                        WHERE status = 'merging' AND lease_expires_at > now()
                            OR NOT EXISTS (SELECT 1 FROM reconciled.uploads WHERE status <> 'complete')
                        """) > 0
                }
                try await scene.lapseLeases()
            }
            for (index, size) in sizes.enumerated() {
                try await scene.isMergedOnce("\(index)", mebibytes: size, "robbed")
            }
            for poller in pollers { scene.stop(poller) }
            try scene.holdsNothingBut(["0", "1", "2"])
        }
    }
}
