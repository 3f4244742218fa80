import Reconciling
import Timeline

extension StoreConformance {
    static var laneRules: [Rule] { pauseRules + holdRules }

    private static var pauseRules: [Rule] {
        [
            rule("a lane that paused itself is not claimed, and says why") { subject in
                try await subject.insert(NewRow("r1"), NewRow("r2", lane: "b"))
                try await (try subject.store("p1")).pause(lane: "a", reason: "401 from the gateway")
                let claimed = try await subject.claimAll(["a", "b"], by: "p2")
                try subject.expect(claimed.claims.map(\.row.id), is: ["r2"], "what is claimed")
                for horizon in claimed.horizons {
                    let pause = LanePause(by: nil, reason: "401 from the gateway")
                    try subject.expect(horizon.pause, is: horizon.lane == "a" ? pause : nil, "lane \(horizon.lane)")
                }
            },
            rule("a lane that paused itself is probed with one row a minute, by one poller") { subject in
                try await subject.insert(NewRow("r1"), NewRow("r2"), NewRow("r3"))
                try await (try subject.store("p1")).pause(lane: "a", reason: "401")
                try await subject.harness.elapse(.seconds(61))
                try subject.expect(try await subject.claim(by: "p2").map(\.row.id), is: ["r1"], "the probe")
                try subject.expect(try await subject.claim(by: "p1").count, is: 0, "a second probe at once")
                try await subject.harness.elapse(.seconds(58))
                try subject.expect(try await subject.claim(by: "p1").count, is: 0, "a second probe within the minute")
                try await subject.harness.elapse(.seconds(4))
                try subject.expect(try await subject.claim(by: "p1").count, is: 1, "the next minute's probe")
            },
            rule("probes take turns from the oldest row on, and then begin again") { subject in
                try await subject.insert(
                    NewRow("r1", dueIn: .seconds(-30)), NewRow("r2", dueIn: .seconds(-20)),
                    NewRow("r3", dueIn: .seconds(900)), NewRow("other", lane: "b"))
                let store = try await subject.store("p1")
                try await store.pause(lane: "a", reason: "401")
                for id in ["r1", "r2"] {
                    try await subject.harness.elapse(.seconds(61))
                    // A poller's own bound does not matter here.
                    let claims = try await subject.claim(by: "p1", from: ClaimBound(dueAt: .distantFuture, id: id))
                    try subject.expect(claims.map(\.row.id), is: [id], "the probe")
                    try await store.handBack(claims.map { subject.held($0) })
                }
                try await subject.harness.elapse(.seconds(61))
                try subject.expect(try await subject.claim().count, is: 0, "what is behind the last one")
                try subject.expect(try await subject.claim().map(\.row.id), is: ["r1"], "the probe after that")
            },
            rule("a lane that paused itself is probed at once after a start") { subject in
                try await subject.insert(NewRow("r1"), NewRow("r2"))
                try await (try subject.store("p1")).pause(lane: "a", reason: "401")
                try await (try subject.store("p2")).register(lanes: ["a"])
                try subject.expect(try await subject.claim(by: "p2").count, is: 1, "the probe")
            },
            rule("a lane that paused itself runs again when it is resumed") { subject in
                try await subject.insert(NewRow("r1"), NewRow("r2"))
                let store = try await subject.store("p1")
                try await store.pause(lane: "a", reason: "401")
                try await store.resume(lane: "a")
                let claimed = try await subject.claimAll()
                try subject.expect(claimed.claims.count, is: 2, "what is claimed")
                try subject.expect(claimed.horizons.first?.pause, is: nil, "the pause")
            },
            rule("a person's pause is neither replaced, nor probed, nor ended by a machine") { subject in
                try await subject.insert(NewRow("r1"))
                let store = try await subject.store("p1")
                try await subject.harness.pauseByPerson(lane: "a", name: "mia", reason: "gateway moves")
                try await store.pause(lane: "a", reason: "401")
                try await store.resume(lane: "a")
                try await store.register(lanes: ["a"])
                try await subject.harness.elapse(.seconds(61))
                let claimed = try await subject.claimAll()
                try subject.expect(claimed.claims.count, is: 0, "what is claimed")
                try subject.expect(
                    claimed.horizons.first?.pause, is: LanePause(by: "mia", reason: "gateway moves"), "the pause")
            },
        ]
    }

    private static var holdRules: [Rule] {
        [
            rule("a lane on hold is claimed by nobody until the hold ends, and its horizon says when") { subject in
                try await subject.insert(
                    NewRow("r1"), NewRow("r2", dueIn: .seconds(10)), NewRow("r3", lane: "b"),
                    NewRow("r4", dueIn: .seconds(900)))
                try await (try subject.store("p1")).hold(lane: "a", for: .seconds(120))
                let claimed = try await subject.claimAll(["a", "b"], by: "p2")
                try subject.expect(claimed.claims.map(\.row.id), is: ["r3"], "what is claimed")
                let nextDueIn = claimed.horizons.first { $0.lane == "a" }?.nextDueIn ?? .zero
                try subject.expect(
                    nextDueIn > .seconds(117) && nextDueIn <= .seconds(120), "the hold ends in 120 s: \(nextDueIn)")
                try await subject.harness.elapse(.seconds(121))
                try subject.expect(
                    try await subject.claim().map(\.row.id), is: ["r1", "r2"], "what is claimed after the hold")
            },
            rule("a hold's end is the horizon even if nothing falls due before it") { subject in
                try await subject.insert(NewRow("r1", dueIn: .seconds(900)))
                try await (try subject.store("p1")).hold(lane: "a", for: .seconds(120))
                let nextDueIn = try await subject.claimAll().horizons.first?.nextDueIn ?? .zero
                try subject.expect(
                    nextDueIn > .seconds(117) && nextDueIn <= .seconds(120), "the hold ends in 120 s: \(nextDueIn)")
            },
            rule("a longer hold stays") { subject in
                try await subject.insert(NewRow("r1"))
                let store = try await subject.store("p1")
                try await store.hold(lane: "a", for: .seconds(120))
                try await store.hold(lane: "a", for: .seconds(10))
                try await subject.harness.elapse(.seconds(60))
                try subject.expect(try await subject.claim().count, is: 0, "what is claimed during the longer hold")
            },
        ]
    }
}
