import Reconciling
import Timeline

extension StoreConformance {
    static var fenceRules: [Rule] {
        [
            rule("a lapsed lease is due again, under a new token that is larger, and the old one changes nothing") {
                subject in
                try await subject.insert(NewRow("r1"))
                let old = try await subject.claimOne("r1", by: "p1")
                try await subject.harness.elapse(Subject<H>.lease + .seconds(1))
                let new = try await subject.claimOne("r1", by: "p2")
                try subject.expect(new.lease.token > old.lease.token, "the new token is larger")
                try subject.expect(new.claimCount, is: 2, "claimCount")
                let before = try await subject.columns("r1")
                let zombie = subject.settlement(old, verdict: .settled, delay: nil, status: H.statuses.settled)
                try subject.expect(try await subject.settle([zombie], by: "p1"), is: [.stale], "the zombie's outcome")
                try await subject.expectUnchanged("r1", since: before)
            },
            rule("the fence tells pollers apart, not only tokens") { subject in
                try await subject.insert(NewRow("r1"))
                let claim = try await subject.claimOne("r1", by: "p1")
                let before = try await subject.columns("r1")
                let settlement = subject.settlement(claim, verdict: .settled, delay: nil, status: H.statuses.settled)
                try subject.expect(
                    try await subject.settle([settlement], by: "p2"), is: [.stale], "another poller's outcome")
                try await subject.expectUnchanged("r1", since: before)
            },
            rule("a settlement that is written twice is stale the second time") { subject in
                try await subject.insert(NewRow("r1"))
                let claim = try await subject.claimOne("r1")
                let settlement = subject.settlement(claim, verdict: .settled, delay: nil, status: H.statuses.settled)
                _ = try await subject.settle([settlement])
                let before = try await subject.columns("r1")
                try subject.expect(try await subject.settle([settlement]), is: [.stale], "the second outcome")
                try await subject.expectUnchanged("r1", since: before)
                try subject.expect(try await subject.harness.history(of: "r1").count, is: 1, "history rows")
            },
            rule("a settlement of a row that is gone is stale") { subject in
                try await subject.insert(NewRow("r1"))
                let claim = try await subject.claimOne("r1")
                try await subject.harness.remove("r1")
                let settlement = subject.settlement(claim, verdict: .settled, delay: nil, status: H.statuses.settled)
                try subject.expect(try await subject.settle([settlement]), is: [.stale], "the outcome")
            },
            rule("journal writes progress under the fence, and says when the lease is lost") { subject in
                try await subject.insert(NewRow("r1"))
                let claim = try await subject.claimOne("r1", by: "p1")
                let (p1, p2) = (try await subject.store("p1"), try await subject.store("p2"))
                let held = subject.held(claim)
                try subject.expect(try await p1.journal(held, progress: #"{"step":1}"#), "the holder may write")
                try subject.expect(
                    try await subject.columns("r1").progress?.filter { $0 != " " }, is: #"{"step":1}"#, "progress")
                try subject.expect(try await p2.journal(held, progress: "{}") == false, "another may not")
                try await subject.harness.elapse(Subject<H>.lease + .seconds(1))
                try subject.expect(
                    try await p1.journal(held, progress: "{}") == false, "the holder of a lapsed lease may not")
                let new = try await subject.claimOne("r1", by: "p2")
                try subject.expect(new.progress?.filter { $0 != " " }, is: #"{"step":1}"#, "what the next claim reads")
                try subject.expect(try await p1.journal(held, progress: "{}") == false, "a lost lease may not")
            },
        ]
    }
}

extension Subject {
    /// But for the time that passes.
    func expectUnchanged(_ id: String, since before: RowColumns) async throws {
        var after = try await columns(id)
        try expect((after.nextCheckIn == nil) == (before.nextCheckIn == nil), "\(id)'s next_check_at is unchanged")
        after.nextCheckIn = before.nextCheckIn
        try expect(after, is: before, "\(id)")
    }
}
