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

        var faults: [String] {
            ["-o", "/dev/null", "-e", "trace=\(call)", "-e", "inject=\(call):signal=KILL:when=\(number)"]
        }
    }

    @Test func aPollerKilledAtAnyStepOfAMergeLeavesItToTheNext() async throws {
        let steps = [
            Step(call: "mkdirat"), Step(call: "unlinkat"), Step(call: "flock"), Step(call: "fallocate"),
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
                let killed = try scene.startPoller(faults: step.faults)
                #expect(killed.wait() == 128 + SIGKILL, "\(step): \(killed.output)")
                try await scene.lapseLeases()
                let heir = try scene.startPoller()
                try await scene.isMergedOnce(id, mebibytes: step.mebibytes, "\(step)")
                scene.stop(heir)
                try scene.holdsNothingBut(ids)
            }
        }
    }
}
