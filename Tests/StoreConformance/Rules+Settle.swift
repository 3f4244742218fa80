import Reconciling
import Timeline

extension StoreConformance {
    static var settleRules: [Rule] {
        [
            rule("a settle writes the change and the schedule, ends the lease, and leaves one history row") { subject in
                try await subject.insert(NewRow("r1"))
                let claim = try await subject.claimOne("r1")
                let settlement = subject.settlement(claim, verdict: .settled, delay: nil, status: H.statuses.settled)
                try subject.expect(
                    try await subject.settle([settlement]), is: [.written(status: H.statuses.settled)], "the outcome")
                let columns = try await subject.columns("r1")
                try subject.expect(columns.status, is: H.statuses.settled, "status")
                try subject.expect(columns.nextCheckIn, is: nil, "next_check_at")
                try subject.expect(columns.checkCount, is: 1, "check_count")
                try subject.expect(columns.claimCount, is: 0, "claim_count")
                try subject.expect(columns.lastVerdict, is: "settled", "last_verdict")
                try subject.expect(columns.isLastCheckedAtSet, "last_checked_at is set")
                try await subject.expectUnleased("r1")
                try subject.expect(
                    try await subject.harness.history(of: "r1"),
                    is: [
                        HistoryEntry(
                            verdict: "settled", statusBefore: H.statuses.waiting, statusAfter: H.statuses.settled)
                    ], "history")
            },
            rule("a settle without a change keeps the status and leaves no history") { subject in
                try await subject.insert(NewRow("r1"))
                let claim = try await subject.claimOne("r1")
                let outcomes = try await subject.settle([subject.settlement(claim)])
                try subject.expect(outcomes.map(\.undated), is: [.written(status: H.statuses.waiting)], "the outcome")
                try await subject.expectNextCheck("r1", in: .seconds(300))
                try subject.expect(try await subject.columns("r1").lastVerdict, is: "recheck", "last_verdict")
                try subject.expect(try await subject.harness.history(of: "r1"), is: [], "history")
            },
            rule("a failed check keeps count, error and progress; the next answer clears the error") { subject in
                try await subject.insert(NewRow("r1"))
                var failed = subject.settlement(
                    try await subject.claimOne("r1"), verdict: .failed, delay: .zero, failureCount: 3)
                failed.error = "connection refused"
                failed.progress = #"{"tally":2}"#
                _ = try await subject.settle([failed])
                let columns = try await subject.columns("r1")
                try subject.expect(columns.failureCount, is: 3, "failure_count")
                try subject.expect(columns.lastError, is: "connection refused", "last_error")
                try subject.expect(columns.lastVerdict, is: "failed", "last_verdict")
                try await subject.harness.elapse(.seconds(1))
                let claim = try await subject.claimOne("r1")
                try subject.expect(claim.failureCount, is: 3, "the claim's failureCount")
                try subject.expect(claim.checkCount, is: 1, "the claim's checkCount")
                try subject.expect(
                    claim.progress?.filter { $0 != " " }, is: #"{"tally":2}"#, "the claim's progress")
                _ = try await subject.settle([subject.settlement(claim)])
                let answered = try await subject.columns("r1")
                try subject.expect(answered.failureCount, is: 0, "failure_count after an answer")
                try subject.expect(answered.lastError, is: nil, "last_error after an answer")
                try subject.expect(answered.progress, is: nil, "progress after an answer without any")
                try subject.expect(answered.checkCount, is: 2, "check_count")
            },
            rule("outcomes come in the order of the settlements, with a claim in the same exchange") { subject in
                for number in 0..<5 { try await subject.insert(NewRow("r\(number)")) }
                let claims = try await subject.claim()
                try await subject.insert(NewRow("new"))
                var settlements = claims.map {
                    subject.settlement($0, verdict: .settled, delay: nil, status: H.statuses.settled)
                }
                settlements[2].held.lease.token += 1_000_000
                let request = ClaimRequest(
                    lease: Subject<H>.lease,
                    quotas: [LaneQuota<String>(lane: "a", count: 10, includesSuspects: true)])
                let result = await (try subject.store("p1")).exchange(
                    Exchange(settlements: settlements, claim: request))
                let written = SettleOutcome.written(status: H.statuses.settled)
                try subject.expect(
                    try result.settled.get(), is: [written, written, .stale, written, written], "the outcomes")
                try subject.expect(try result.claimed?.get().claims.map(\.row.id), is: ["new"], "the claim")
            },
            rule("one row's refusal never fails its batch") { subject in
                for number in 0..<5 { try await subject.insert(NewRow("r\(number)")) }
                var settlements = try await subject.claim().map {
                    subject.settlement($0, verdict: .settled, delay: nil, status: H.statuses.settled)
                }
                settlements[3].change = try await subject.harness.refusedChange(for: "r3")
                let outcomes = try await subject.settle(settlements)
                for (index, outcome) in outcomes.enumerated() {
                    if case .refused = outcome {
                        try subject.expect(index, is: 3, "the refused row")
                    } else {
                        try subject.expect(
                            outcome, is: .written(status: H.statuses.settled), "the outcome of r\(index)")
                    }
                }
                let columns = try await subject.columns("r3")
                try subject.expect(columns.status, is: H.statuses.waiting, "the refused row's status")
                try subject.expect(columns.leaseToken, is: settlements[3].held.lease.token, "its lease, still held")
                settlements[3].change = nil
                settlements[3].verdict = .failed
                settlements[3].delay = .seconds(60)
                try subject.expect(
                    try await subject.settle([settlements[3]]).map(\.undated),
                    is: [.written(status: H.statuses.waiting)],
                    "what is written instead")
            },
        ]
    }
}
