import Reconciling
import Timeline

extension StoreConformance {
    static var claimRules: [Rule] {
        [
            rule("a claim takes due rows only, oldest first, ties by id") { subject in
                try await subject.insert(
                    NewRow("late", dueIn: .seconds(-100)), NewRow("b", dueIn: .seconds(-200)),
                    NewRow("future", dueIn: .seconds(100)), NewRow("rest", dueIn: nil))
                let claims = try await subject.claim()
                try subject.expect(claims.map(\.row.id), is: ["b", "late"], "the claimed rows")
                let isDue = claims.allSatisfy { claim in claim.dueAt.map { $0 <= claim.claimedAt } ?? false }
                try subject.expect(isDue, "no row is claimed before it is due")
            },
            rule("rows due at one instant are claimed in the order of their ids, and a bound continues there") {
                subject in
                // Inserted together by a settle: one statement gives them one next_check_at.
                let ids = (0..<6).map { "r\($0)" }
                for id in ids { try await subject.insert(NewRow(id)) }
                let settlements = try await subject.claim().map { subject.settlement($0, delay: .zero) }
                _ = try await subject.settle(settlements)
                try await subject.harness.elapse(.seconds(1))
                let first = try await subject.claim(count: 3)
                try subject.expect(first.map(\.row.id), is: ["r0", "r1", "r2"], "the first rows")
                let last = first[2]
                let second = try await subject.claim(from: try subject.bound(last))
                try subject.expect(second.map(\.row.id), is: ["r3", "r4", "r5"], "the rows from the bound on")
            },
            rule("each lane has its own quota, and lanes that are not asked for are left alone") { subject in
                for number in 0..<4 {
                    try await subject.insert(NewRow("a\(number)"), NewRow("b\(number)", lane: "b"))
                }
                let one = try await subject.claim(["a"], count: 2)
                try subject.expect(one.map(\.row.lane), is: ["a", "a"], "the lanes claimed")
                let both = try await subject.claim(["a", "b"], count: 3)
                try subject.expect(both.filter { $0.row.lane == "a" }.count, is: 2, "what was left in a")
                try subject.expect(both.filter { $0.row.lane == "b" }.count, is: 3, "the quota of b")
            },
            rule("rows before the bound are not looked at, the bound's place is") { subject in
                try await subject.insert(
                    NewRow("r1", dueIn: .seconds(-300)), NewRow("r2", dueIn: .seconds(-200)),
                    NewRow("r3", dueIn: .seconds(-100)))
                let all = try await subject.claim()
                try await (try subject.store("p1")).handBack(all.map { subject.held($0) })
                let from = try subject.bound(all[1])
                let claims = try await subject.claim(from: from)
                try subject.expect(claims.map(\.row.id), is: ["r2", "r3"], "the rows from the bound on")
            },
            rule("a row that is held is claimed by nobody, not by its holder either") { subject in
                try await subject.insert(NewRow("r1"))
                _ = try await subject.claimOne("r1")
                try subject.expect(try await subject.claim(by: "p1").count, is: 0, "what its holder claims")
                try subject.expect(try await subject.claim(by: "p2").count, is: 0, "what another claims")
            },
            rule("pollers that claim at one time get different rows") { subject in
                for number in 0..<60 { try await subject.insert(NewRow("r\(number)")) }
                let ids = try await withThrowingTaskGroup(of: [String].self) { group in
                    for number in 0..<6 {
                        group.addTask { try await subject.claim(count: 10, by: "p\(number)").map(\.row.id) }
                    }
                    return try await group.reduce(into: []) { $0 += $1 }
                }
                try subject.expect(Set(ids).count, is: ids.count, "the number of different rows")
            },
            rule("a claim tells what it saw and counts itself") { subject in
                try await subject.insert(NewRow("r1", claimCount: 1))
                let claim = try await subject.claimOne("r1")
                try subject.expect(claim.claimCount, is: 2, "claimCount")
                try subject.expect(claim.checkCount, is: 0, "checkCount")
                try subject.expect(claim.row.status, is: H.statuses.waiting, "the status")
                let columns = try await subject.columns("r1")
                try subject.expect(columns.claimCount, is: 2, "claim_count")
                try subject.expect(columns.leaseToken, is: claim.lease.token, "lease_token")
                try subject.expect(columns.isLeaseExpirySet, "lease_expires_at is set")
                try subject.expect(columns.leasedBy != nil, "leased_by is set")
            },
            rule("a suspect is not taken unless it may be, and then alone in its lane") { subject in
                try await subject.insert(
                    NewRow("bad", dueIn: .seconds(-50), claimCount: 3), NewRow("good1", dueIn: .seconds(-100)),
                    NewRow("good2", dueIn: .seconds(-10), claimCount: 2))
                let alone = try await subject.claim()
                try subject.expect(alone.map(\.row.id), is: ["bad"], "what is claimed with the suspect")
                let rest = try await subject.claim(suspects: false)
                try subject.expect(rest.map(\.row.id), is: ["good1", "good2"], "what is claimed without suspects")
                try await (try subject.store("p1")).handBack(alone.map { subject.held($0) })
                try subject.expect(try await subject.claim(suspects: false).count, is: 0, "suspects taken uninvited")
            },
            rule("a suspect of one lane keeps no row of another lane waiting, nor its suspect") { subject in
                try await subject.insert(
                    NewRow("bad", dueIn: .seconds(-50), claimCount: 3), NewRow("worse", claimCount: 4), NewRow("good"))
                try await subject.insert(
                    NewRow("b1", lane: "b", dueIn: .seconds(-100)), NewRow("b2", lane: "b", dueIn: .seconds(-20)))
                let first = try await subject.claim(["a", "b"])
                try subject.expect(first.map(\.row.id), is: ["b1", "bad", "b2"], "what is claimed with the suspect")
                try await subject.insert(
                    NewRow("b3", lane: "b", dueIn: .seconds(-90), claimCount: 3), NewRow("b4", lane: "b"))
                let second = try await subject.claim(["a", "b"])
                try subject.expect(second.map(\.row.id), is: ["b3", "worse"], "the suspects of both lanes")
            },
            rule("a horizon for each lane asked for: when its next row falls due") { subject in
                try await subject.insert(
                    NewRow("r1"), NewRow("r2", dueIn: .seconds(50)), NewRow("r3", dueIn: .seconds(90)))
                let claimed = try await subject.claimAll(["a", "b"])
                try subject.expect(Set(claimed.horizons.map(\.lane)), is: ["a", "b"], "the horizons' lanes")
                try subject.expect(claimed.horizons.count, is: 2, "the number of horizons")
                for horizon in claimed.horizons {
                    try subject.expect(horizon.pause == nil, "lane \(horizon.lane) may run")
                    if horizon.lane == "b" {
                        try subject.expect(horizon.nextDueIn, is: nil, "the horizon of an empty lane")
                    } else {
                        let nextDueIn = horizon.nextDueIn ?? .zero
                        try subject.expect(
                            nextDueIn > .seconds(47) && nextDueIn <= .seconds(50),
                            "the next row is due in 50 s: \(nextDueIn)")
                    }
                }
            },
        ]
    }
}
