import Reconciling
import Timeline

extension StoreConformance {
    static var leaseRules: [Rule] {
        [
            rule("a renewed lease holds for its new time, and only its holder renews it") { subject in
                try await subject.insert(NewRow("r1"), NewRow("r2"))
                let claims = try await subject.claim()
                let leases = claims.map { subject.held($0) }
                try await subject.harness.elapse(Subject<H>.lease - .seconds(20))
                let (p1, p2) = (try await subject.store("p1"), try await subject.store("p2"))
                try subject.expect(try await p2.renew(leases, for: Subject<H>.lease), is: [], "what another renews")
                var wrong = leases[1]
                wrong.lease.token += 1_000_000
                try subject.expect(
                    try await p1.renew([leases[0], wrong], for: Subject<H>.lease), is: [leases[0].lease.token],
                    "what is renewed")
                try await subject.harness.elapse(.seconds(40))
                try subject.expect(
                    try await subject.claim(by: "p2").map(\.row.id), is: [claims[1].row.id], "what has lapsed")
                try subject.expect(
                    try await p1.renew([leases[1]], for: Subject<H>.lease), is: [], "what is renewed after it was lost")
            },
            rule("a hand-back gives the row back as it was, the claim not counted") { subject in
                try await subject.insert(NewRow("r1", claimCount: 2), NewRow("r2"))
                let claims = try await subject.claim()
                try await (try subject.store("p1")).handBack(claims.map { subject.held($0) })
                let columns = try await subject.columns("r1")
                try subject.expect(columns.claimCount, is: 2, "claim_count")
                try subject.expect(columns.checkCount, is: 0, "check_count")
                try subject.expect(columns.lastVerdict, is: nil, "last_verdict")
                try subject.expect(columns.status, is: H.statuses.waiting, "status")
                try await subject.expectUnleased("r1")
                try await subject.expectNextCheck("r1", in: .seconds(-10))
                try subject.expect(try await subject.columns("r2").claimCount, is: 0, "claim_count of the other")
                try subject.expect(try await subject.claim(by: "p2").count, is: 2, "what another claims at once")
            },
            rule("a hand-back tells why, until there is an answer, and one without a reason leaves what stands there") {
                subject in
                try await subject.insert(NewRow("r1"), NewRow("r2"))
                let store = try await subject.store("p1")
                var held = try await subject.claim().map { subject.held($0) }
                held[0].error = "no such key"
                try await store.handBack(held)
                try subject.expect(try await subject.columns(held[0].id).lastError, is: "no such key", "last_error")
                try subject.expect(try await subject.columns(held[1].id).lastError, is: nil, "last_error of the other")
                let again = try await subject.claim()
                try await store.handBack(again.map { subject.held($0) })
                let columns = try await subject.columns(held[0].id)
                try subject.expect(columns.lastError, is: "no such key", "last_error when handed back unasked")
                try subject.expect(columns.failureCount, is: 0, "failure_count")
                try subject.expect(columns.lastVerdict, is: nil, "last_verdict")
                let claims = try await subject.claim()
                _ = try await subject.settle(claims.map { subject.settlement($0) })
                try subject.expect(try await subject.columns(held[0].id).lastError, is: nil, "last_error when answered")
            },
            rule("a hand-back of another's lease, or of a lost one, does nothing") { subject in
                try await subject.insert(NewRow("r1"))
                let old = try await subject.claimOne("r1", by: "p1")
                let first = try await subject.columns("r1")
                try await (try subject.store("p2")).handBack([subject.held(old)])
                try await subject.expectUnchanged("r1", since: first)
                try await subject.harness.elapse(Subject<H>.lease + .seconds(1))
                _ = try await subject.claimOne("r1", by: "p2")
                let second = try await subject.columns("r1")
                try await (try subject.store("p1")).handBack([subject.held(old)])
                try await subject.expectUnchanged("r1", since: second)
            },
            rule("a poller may say that it lives, and that it leaves") { subject in
                let store = try await subject.store("p1")
                try await store.heartbeat(stopping: false)
                try await store.heartbeat(stopping: true)
            },
        ]
    }
}
