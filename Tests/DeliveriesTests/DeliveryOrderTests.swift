import PostgresStore
import Reconciling
import Synchronization
import TestSupport
import Testing
import Timeline

@testable import Deliveries

/// Events of one subject arrive in order, and nobody waits for more than that.
@Suite struct DeliveryOrderTests {
    /// Each call that was not preceded by the arrival of all earlier events of its subject.
    private func overtakings(_ calls: [Sink.Call], subjects: Int) -> [String] {
        var arrived: Set<Int> = []
        var found: [String] = []
        for call in calls {
            guard let number = Int(call.id.dropFirst(4)) else { continue }
            var earlier = number - subjects
            while earlier > 0 {
                if !arrived.contains(earlier) { found.append("\(number) before \(earlier)") }
                earlier -= subjects
            }
            if (200...299).contains(call.status) { arrived.insert(number) }
        }
        return found
    }

    /// Two pollers, two endpoints that fail often; time is helped along, for a failure is tried again after five seconds.
    @Test func eventsOfOneSubjectArriveInOrderWhateverFails() async throws {
        let (subjects, events) = (12, 96)
        let random = Mutex(SeededRandom(seed: TestSeed.value))
        try await Scene.with { scene in
            scene.sink.answer { _, _ in
                random.withLock { Int.random(in: 0..<3, using: &$0) == 0 ? 500 : 200 }
            }
            let endpoints = [scene.endpoint("one"), scene.endpoint("two")]
            for (index, endpoint) in endpoints.enumerated() {
                // A number a subject and event at each endpoint; evt_N of both is of the same subject.
                try await scene.run(
                    """
                    INSERT INTO reconciled.deliveries (id, endpoint, event_id, event_type, subject, payload)
                    SELECT n * 2 + \(index), '\(endpoint.name)', 'evt_' || n, 'order.paid', 'orders/' || n % \(subjects), '{}'
                    FROM generate_series(1, \(events)) AS n
                    """)
            }
            try await scene.withPoller("p1", endpoints) {
                try await scene.withPoller("p2", endpoints) {
                    try await eventually("all are delivered", within: .seconds(60)) {
                        try await scene.run(
                            "UPDATE reconciled.deliveries SET next_check_at = now() WHERE failure_count > 0 AND next_check_at > now()"
                        )
                        return try await scene.count("status <> 'delivered'") == 0
                    }
                }
            }
            for endpoint in endpoints {
                let calls = scene.sink.calls(to: "/\(endpoint.name)")
                #expect(calls.contains { $0.status == 500 })
                #expect(calls.count { $0.status == 200 } == events)
                #expect(overtakings(calls, subjects: subjects) == [], "seed \(TestSeed.value)")
            }
        }
    }

    @Test func theEndOfOneMakesTheNextOneDue() async throws {
        try await Scene.with { scene in
            for id in 1...30 { try await scene.insert(id) }
            let begin = Moment.now
            try await scene.withPoller {
                try await eventually("all are delivered", within: .seconds(60)) {
                    try await scene.count("status = 'delivered'") == 30
                }
            }
            // By waiting alone it would be thirty seconds and more.
            #expect(Moment.now - begin < .seconds(15))
            #expect(scene.sink.calls.map(\.id) == (1...30).map { "evt_\($0)" })
        }
    }

    @Test func whatWaitsCostsLittle() async throws {
        try await Scene.with { scene in
            for id in 1...50 { try await scene.insert(id) }
            scene.sink.answer(500)
            try await scene.withPoller {
                try await eventually("the first one failed") { try await scene.isTrue("failure_count = 1") }
                try await eventually("the others wait for its next attempt") {
                    try await scene.count("next_check_at > now() + interval '2 s'") == 50
                }
            }
            #expect(scene.sink.calls.map(\.id) == ["evt_1"])
            let checks = Int(try await scene.text("SELECT sum(check_count)::text FROM reconciled.deliveries") ?? "")
            #expect((checks ?? 0) <= 200, "\(String(describing: checks)) checks")
            #expect(try await scene.count("last_verdict = 'recheck' AND failure_count = 0") == 49)
        }
    }

    @Test(arguments: ["review", "removed", "resolved", "by SQL"])
    func whatIsOverHoldsUpNothing(how: String) async throws {
        try await Scene.with { scene in
            try await scene.insert(1)
            try await scene.insert(2)
            try await scene.insert(3, subject: "orders/B")
            scene.sink.answer(500)
            try await scene.check(1)
            try await scene.check(2)
            #expect(scene.sink.calls.map(\.id) == ["evt_1"])
            #expect(try await scene.isTrue("next_check_at > now() + interval '4 s'", of: 2))
            switch how {
            case "review":
                scene.sink.answer(410)
                try await scene.check(1)
            case "removed": _ = try await scene.desk.remove("1")
            case "resolved": _ = try await scene.desk.resolve("1", status: "delivered", note: "seen", .init())
            default: try await scene.run("DELETE FROM reconciled.deliveries WHERE id = 1")
            }
            #expect(try await scene.isTrue("next_check_at <= now()", of: 2))
            scene.sink.answer(200)
            try await scene.check(2)
            #expect(try await scene.isTrue("status = 'delivered'", of: 2))
        }
    }

    @Test func thousandsOfOneSubjectAreRemovedAtOnce() async throws {
        try await Scene.with { scene in
            try await scene.run(
                """
                INSERT INTO reconciled.deliveries (endpoint, event_id, event_type, subject, payload, next_check_at)
                SELECT 'shop', 'evt_' || n, 'order.paid', 'orders/A-1', '{}', now() + interval '1 hour'
                FROM generate_series(1, 20000) AS n
                """)
            let begin = Moment.now
            try await scene.run("DELETE FROM reconciled.deliveries WHERE event_id <> 'evt_9000'")
            // Looking for the next one once a row would walk all the dead ones each time: half a minute and more.
            #expect(Moment.now - begin < .seconds(15))
            #expect(try await scene.count("event_id = 'evt_9000' AND next_check_at <= now()") == 1)
        }
    }

    @Test func thousandsOfOneSubjectAreEndedAtOnce() async throws {
        try await Scene.with { scene in
            try await scene.run(
                """
                INSERT INTO reconciled.deliveries (endpoint, event_id, event_type, subject, payload, next_check_at)
                SELECT 'shop', 'evt_' || n, 'order.paid', 'orders/' || CASE WHEN n > 20000 THEN 'B' ELSE 'A' END, '{}',
                    now() + interval '1 hour'
                FROM generate_series(1, 20003) AS n
                """)
            // A session keeps the plan that it made for its first ending, and this one is of a single row.
            try await scene.run(
                """
                UPDATE reconciled.deliveries SET status = 'delivered', next_check_at = NULL WHERE event_id = 'evt_1'
                """)
            let begin = Moment.now
            try await scene.run(
                """
                UPDATE reconciled.deliveries SET status = 'delivered', next_check_at = NULL
                WHERE event_id NOT IN ('evt_1', 'evt_9000', 'evt_9001', 'evt_20002', 'evt_20003')
                """)
            // Each looking for the next one would walk all that ended before it: some minutes.
            #expect(Moment.now - begin < .seconds(15))
            // The first of each subject, and no other.
            #expect(try await scene.count("status = 'pending' AND next_check_at <= now()") == 2)
            #expect(try await scene.count("event_id IN ('evt_9000', 'evt_20002') AND next_check_at <= now()") == 2)
        }
    }

    /// The second one was found waiting, and before that is written the first one is over: it must not sleep now.
    @Test func oneThatIsBeingLookedAtWhenItsTurnComesStaysDue() async throws {
        try await Scene.with { scene in
            try await scene.insert(1)
            try await scene.insert(2)
            var identity = PollerIdentity(version: "test")
            identity.id = "p1"
            let second = try #require(try await scene.desk.claim("2", poller: identity, lease: .seconds(60)))
            #expect(second.row.waitsFor != nil)
            try await scene.check(1)
            let settlement = Settlement<String, DeliveryChange>(
                held: HeldLease(id: "2", lane: "shop", lease: second.lease), statusBefore: "pending",
                dueAt: second.dueAt, verdict: .recheck, delay: .seconds(60))
            let outcome = await scene.store().exchange(Exchange(settlements: [settlement], claim: nil))
            guard case .written("pending", .some, _)? = try outcome.settled.get().first else {
                Issue.record("\(outcome.settled)")
                return
            }
            #expect(try await scene.isTrue("next_check_at <= now() AND lease_token IS NULL", of: 2))
        }
    }

    /// Both settled by one statement.
    @Test func oneThatIsSettledTogetherWithTheOneBeforeItIsDue() async throws {
        try await Scene.with { scene in
            try await scene.insert(1)
            try await scene.insert(2)
            let store = scene.store()
            let request = ClaimRequest<String>(
                lease: .seconds(60), quotas: [LaneQuota(lane: "shop", count: 10, includesSuspects: true)])
            let claims = try #require(
                try await store.exchange(Exchange(settlements: [], claim: request)).claimed?.get().claims)
            #expect(claims.map { $0.row.waitsFor == nil } == [true, false])
            let settlements = claims.map { claim in
                let isFirst = claim.row.id == "1"
                return Settlement(
                    held: HeldLease(id: claim.row.id, lane: "shop", lease: claim.lease), statusBefore: "pending",
                    dueAt: claim.dueAt, verdict: isFirst ? .settled : .recheck, delay: isFirst ? nil : .seconds(60),
                    change: isFirst ? DeliveryChange(status: "delivered") : nil)
            }
            let outcome = await store.exchange(Exchange(settlements: settlements, claim: nil))
            #expect(try outcome.settled.get().count == 2)
            #expect(try await scene.isTrue("next_check_at <= now()", of: 2))
        }
    }

    @Test func aPersonsRedeliveryGoesBeforeWhatIsStillPending() async throws {
        try await Scene.with { scene in
            for id in 1...3 { try await scene.insert(id) }
            try await scene.check(1)
            try await scene.check(2)
            _ = try await scene.desk.resolve("1", status: "pending", note: "lost there", .init())
            try await scene.check(3)
            #expect(scene.sink.calls.count == 2)
            try await scene.withPoller {
                try await eventually("all are delivered") { try await scene.count("status = 'delivered'") == 3 }
            }
            #expect(scene.sink.calls.map(\.id) == ["evt_1", "evt_2", "evt_1", "evt_3"])
        }
    }

    @Test func aDeadEndpointDelaysNoOther() async throws {
        try await Scene.with { scene in
            // Nobody listens there.
            let dead = scene.endpoint("dead", port: 1)
            for endpoint in ["dead", "shop"] {
                try await scene.run(
                    """
                    INSERT INTO reconciled.deliveries (endpoint, event_id, event_type, subject, payload)
                    SELECT '\(endpoint)', 'evt_' || n, 'order.paid', 'orders/' || n % 100, '{}'
                    FROM generate_series(1, 300) AS n
                    """)
            }
            try await scene.withPoller("p1", [dead, scene.endpoint()]) {
                try await eventually("the other's are delivered", within: .seconds(20)) {
                    try await scene.count("endpoint = 'shop' AND status = 'delivered'") == 300
                }
                try await eventually("the dead one's wait for their next attempts") {
                    try await scene.count("endpoint = 'dead' AND next_check_at > now()") == 300
                }
            }
            #expect(try await scene.count("endpoint = 'dead' AND failure_count >= 1") == 100)
            // Attempts come after five seconds, not in a loop.
            let checks = Int(
                try await scene.text("SELECT sum(check_count)::text FROM reconciled.deliveries WHERE endpoint = 'dead'")
                    ?? "")
            #expect((checks ?? 0) <= 1_800, "\(String(describing: checks)) checks")
        }
    }
}
