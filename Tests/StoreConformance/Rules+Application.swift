import Reconciling
import Timeline

extension StoreConformance {
    static var applicationRules: [Rule] { overtakenRules + nudgeRules + moveRules + lockRules }

    private static var overtakenRules: [Rule] {
        [
            rule("a status that someone else wrote is not overwritten, and the row stays due") { subject in
                try await subject.insert(NewRow("r1"))
                let claim = try await subject.claimOne("r1")
                try await subject.harness.setStatus(of: "r1", to: H.statuses.withdrawn)
                let settlement = subject.settlement(claim, verdict: .settled, delay: nil, status: H.statuses.settled)
                try subject.expect(
                    try await subject.settle([settlement]).map(\.undated),
                    is: [.overtaken(status: H.statuses.withdrawn)],
                    "the outcome")
                let columns = try await subject.columns("r1")
                try subject.expect(columns.status, is: H.statuses.withdrawn, "status")
                try subject.expect(columns.lastVerdict, is: "overtaken", "last_verdict")
                try subject.expect(columns.claimCount, is: 0, "claim_count")
                try subject.expect(columns.checkCount, is: 1, "check_count")
                try await subject.expectUnleased("r1")
                try await subject.expectNextCheck("r1", in: .zero)
                try subject.expect(
                    try await subject.harness.history(of: "r1"),
                    is: [
                        HistoryEntry(
                            verdict: "overtaken", statusBefore: H.statuses.withdrawn, statusAfter: H.statuses.withdrawn)
                    ],
                    "history")
            },
            rule("what contradicts the answer is due at once, whatever the application scheduled") { subject in
                try await subject.insert(NewRow("r1"), NewRow("r2"))
                for claim in try await subject.claim() {
                    let id = claim.row.id
                    try await subject.harness.setStatus(of: id, to: H.statuses.withdrawn)
                    try await subject.harness.setNextCheck(of: id, in: id == "r1" ? nil : .seconds(900))
                    let settlement = subject.settlement(
                        claim, verdict: .settled, delay: nil, status: H.statuses.settled,
                        contradictedBy: [H.statuses.closed, H.statuses.withdrawn])
                    try subject.expect(
                        try await subject.settle([settlement]).map(\.undated),
                        is: [.overtaken(status: H.statuses.withdrawn)],
                        "the outcome")
                    try await subject.expectNextCheck(id, in: .zero)
                }
            },
            rule("an overtaken row keeps the application's next_check_at, NULL too, if nothing is contradicted") {
                subject in
                try await subject.insert(NewRow("r1"), NewRow("r2"))
                for claim in try await subject.claim() {
                    let delay: Duration? = claim.row.id == "r1" ? nil : .seconds(900)
                    try await subject.harness.setStatus(of: claim.row.id, to: H.statuses.settled)
                    try await subject.harness.setNextCheck(of: claim.row.id, in: delay)
                    let settlement = subject.settlement(
                        claim, verdict: .settled, delay: nil, status: H.statuses.settled,
                        contradictedBy: [H.statuses.closed])
                    try subject.expect(
                        try await subject.settle([settlement]).map(\.undated),
                        is: [.overtaken(status: H.statuses.settled)],
                        "the outcome")
                    try await subject.expectNextCheck(claim.row.id, in: delay)
                }
            },
        ]
    }

    private static var nudgeRules: [Rule] {
        [
            rule("a nudge during a check survives a recheck") { subject in
                try await subject.insert(NewRow("r1"))
                let claim = try await subject.claimOne("r1")
                try await subject.harness.setNextCheck(of: "r1", in: .zero)
                let outcomes = try await subject.settle([subject.settlement(claim)])
                try subject.expect(outcomes.map(\.undated), is: [.written(status: H.statuses.waiting)], "the outcome")
                try await subject.expectNextCheck("r1", in: .zero)
                try await subject.harness.elapse(.seconds(1))
                try subject.expect(try await subject.claim().map(\.row.id), is: ["r1"], "what is due again")
            },
            rule("NULL set by the application during a check survives a recheck") { subject in
                try await subject.insert(NewRow("r1"))
                let claim = try await subject.claimOne("r1")
                try await subject.harness.setNextCheck(of: "r1", in: nil)
                _ = try await subject.settle([subject.settlement(claim)])
                try await subject.expectNextCheck("r1", in: nil)
            },
            rule("a row claimed by hand while at rest is scheduled by its verdict, unless the application did so") {
                subject in
                try await subject.insert(NewRow("r1"), NewRow("r2"))
                for claim in try await subject.claim() {
                    // As the statement that claims by hand saw it.
                    try await subject.harness.setNextCheck(of: claim.row.id, in: nil)
                    var settlement = subject.settlement(claim)
                    settlement.dueAt = nil
                    if claim.row.id == "r2" { try await subject.harness.setNextCheck(of: "r2", in: .seconds(900)) }
                    _ = try await subject.settle([settlement])
                }
                try await subject.expectNextCheck("r1", in: .seconds(300))
                try await subject.expectNextCheck("r2", in: .seconds(900))
            },
            rule("a verdict that puts the row to rest wins over a nudge") { subject in
                try await subject.insert(NewRow("r1"))
                let claim = try await subject.claimOne("r1")
                try await subject.harness.setNextCheck(of: "r1", in: .zero)
                _ = try await subject.settle([
                    subject.settlement(claim, verdict: .settled, delay: nil, status: H.statuses.settled)
                ])
                try await subject.expectNextCheck("r1", in: nil)
            },
        ]
    }

    private static var moveRules: [Rule] {
        [
            rule("a settle says in which lane the row is due, also one that the application moved meanwhile") {
                subject in
                try await subject.insert(NewRow("r1"), NewRow("r2"), NewRow("r3"))
                let settlements = try await subject.claim().map { claim in
                    subject.settlement(claim, delay: claim.row.id == "r3" ? nil : .seconds(300))
                }
                for id in ["r1", "r3"] { try await subject.harness.setLane(of: id, to: "b") }
                let lanes = try await subject.settle(settlements).map { outcome -> String? in
                    if case .written(_, _, let lane) = outcome { lane } else { "not written" }
                }
                try subject.expect(lanes, is: ["b", "a", nil], "the lanes")
                try subject.expect(try await subject.columns("r1").lane, is: "b", "the row's lane")
            }
        ]
    }

    private static var lockRules: [Rule] {
        [
            rule("a row that the application keeps locked delays no other settle") { subject in
                try await subject.insert(NewRow("r1"), NewRow("r2"), NewRow("r3"))
                let settlements = try await subject.claim().map {
                    subject.settlement($0, verdict: .settled, delay: nil, status: H.statuses.settled)
                }
                try await subject.harness.whileLocked("r2") {
                    let written = SettleOutcome.written(status: H.statuses.settled)
                    try subject.expect(
                        try await subject.settle(settlements), is: [written, .locked, written], "the outcomes")
                }
                try subject.expect(
                    try await subject.settle([settlements[1]]), is: [.written(status: H.statuses.settled)],
                    "the outcome later")
            },
            rule("a row that the application keeps locked is not claimed, and delays no claim") { subject in
                try await subject.insert(NewRow("r1"), NewRow("r2"))
                try await subject.harness.whileLocked("r1") {
                    try subject.expect(try await subject.claim().map(\.row.id), is: ["r2"], "what is claimed")
                }
                try subject.expect(try await subject.claim().map(\.row.id), is: ["r1"], "what is claimed later")
            },
        ]
    }
}
