import Foundation
import JSON
import Postgres
import PostgresStore
import Reconciling
import TestSupport
import Testing
import Timeline

@testable import Deliveries

/// Deliveries with real calls, pollers and a database.
@Suite struct DeliveryRunTests {
    // MARK: one delivery

    @Test func aDeliveryIsSentOnceAndAsItStands() async throws {
        try await Scene.with { scene in
            try await scene.insert()
            try await scene.withPoller {
                try await eventually("delivered") { try await scene.isTrue("status = 'delivered'") }
            }
            let call = try #require(scene.sink.calls.first)
            #expect(scene.sink.calls.count == 1 && call.path == "/shop" && call.id == "evt_1")
            let payload = try await scene.value("payload")
            #expect(call.body == payload)
            #expect(call.headers["content-type"] == "application/json")
            let seconds = try #require(call.headers["webhook-timestamp"].flatMap(Int64.init))
            #expect(abs(seconds - Int64(Date().timeIntervalSince1970)) < 60)
            #expect(
                try await scene.isTrue(
                    "next_check_at IS NULL AND delivered_at IS NOT NULL AND last_status_code = 204 AND failure_count = 0"
                ))
            let history = try await scene.text(
                "SELECT concat_ws(' ', verdict, status_before, status_after, answer ->> 'attempt') FROM reconciled.history"
            )
            #expect(history == "settled pending delivered 1")
        }
    }

    @Test(.enabled(if: WebhookPeer.bin != nil, "RECONCILED_TEST_PEERS is not set"))
    func receiversVerifyItWithEachOfTheSecrets() async throws {
        try await Scene.with { scene in
            // What text can be in a payload: the bytes that are signed must be the bytes that arrive.
            try await scene.run(
                #"""
                INSERT INTO reconciled.deliveries (id, endpoint, event_id, event_type, subject, payload)
                VALUES (1, 'shop', 'evt_ü', 'order.paid', 'orders/ü', '{}')
                """#.replacing("evt_ü", with: "evt_a.b~!"))
            try await scene.run(
                #"""
                UPDATE reconciled.deliveries SET payload = jsonb_build_object(
                    'type', 'order.paid', 'a', E'é\u20ac\n\t"\\', 'n', 12345678901234567890.10, 'z', NULL)
                """#)
            let endpoint = scene.endpoint(secrets: [Scene.secret, Scene.otherSecret])
            try await scene.withPoller("p1", [endpoint]) {
                try await eventually("delivered") { try await scene.isTrue("status = 'delivered'") }
            }
            let call = try #require(scene.sink.calls.first)
            #expect(call.headers["webhook-signature"]?.split(separator: " ").count == 2)
            func forged(_ name: String, _ value: String) -> Sink.Call {
                var forged = call
                forged.headers[name] = value
                return forged
            }
            var longer = call
            longer.body += " "
            let refusal = "WebhookVerificationError"
            let cases = [
                (call, Scene.secret, "order.paid"), (call, Scene.otherSecret, "order.paid"),
                (call, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", refusal), (longer, Scene.secret, refusal),
                (forged("webhook-id", "evt_2"), Scene.secret, refusal),
                (forged("webhook-timestamp", "1614265330"), Scene.secret, refusal),
            ]
            try await WebhookPeer.with { peer in
                for (index, (call, secret, expected)) in cases.enumerated() {
                    let found = try await peer.verify(call, secret: secret)
                    #expect(found == expected, "case \(index)")
                }
            }
        }
    }

    @Test func eachAttemptIsSignedAtItsOwnTimeUnderTheSameID() async throws {
        try await Scene.with { scene in
            try await scene.insert()
            scene.sink.answer(500)
            try await scene.check()
            #expect(
                try await scene.isTrue(
                    """
                    status = 'pending' AND failure_count = 1 AND last_status_code = 500 AND last_verdict = 'failed'
                    AND next_check_at - last_checked_at BETWEEN interval '4.5 s' AND interval '5.5 s'
                    """))
            #expect(try await scene.value("last_error") == "The endpoint answered 500.")
            scene.sink.answer(200)
            try await eventually("another second") {
                try await scene.text("SELECT floor(extract(epoch FROM now()))::bigint::text")
                    != scene.sink.calls[0].headers["webhook-timestamp"]
            }
            try await scene.check()
            let calls = scene.sink.calls
            #expect(calls.count == 2 && Set(calls.map(\.id)).count == 1 && Set(calls.map(\.body)).count == 1)
            #expect(Set(calls.compactMap { $0.headers["webhook-timestamp"] }).count == 2)
            #expect(Set(calls.compactMap { $0.headers["webhook-signature"] }).count == 2)
            #expect(try await scene.isTrue("status = 'delivered' AND failure_count = 0 AND last_error IS NULL"))
        }
    }

    @Test func redirectsAreNotFollowed() async throws {
        try await Scene.with { scene in
            try await scene.insert()
            scene.sink.answer(307)
            try await scene.check()
            #expect(scene.sink.calls.map(\.path) == ["/shop"])
            #expect(try await scene.isTrue("status = 'pending' AND last_status_code = 307 AND failure_count = 1"))
        }
    }

    @Test func anEndpointThatAsksToWaitIsLeftAloneAsAWhole() async throws {
        try await Scene.with { scene in
            for id in 1...3 { try await scene.insert(id, subject: "orders/\(id)") }
            scene.sink.answer(503, retryAfter: 120)
            try await scene.withPoller {
                try await eventually("the lane is held") {
                    try await scene.text(
                        "SELECT (hold_until > now() + interval '100 s')::text FROM reconciled.lanes WHERE name = 'shop'"
                    )
                        == "true"
                }
                try await eventually("all were answered") { try await scene.count("failure_count = 1") == 3 }
            }
            #expect(scene.sink.calls.count == 3)
            #expect(try await scene.count("next_check_at >= last_checked_at + interval '119 s'") == 3)
        }
    }

    @Test func afterTheLastAttemptAHumanDecides() async throws {
        try await Scene.with { scene in
            try await scene.insert()
            try await scene.run("UPDATE reconciled.deliveries SET failure_count = 9")
            scene.sink.answer(500)
            try await scene.check()
            #expect(
                try await scene.isTrue(
                    "status = 'review' AND review_reason = 'UNDELIVERED' AND next_check_at IS NULL"))
            #expect(try await scene.isTrue("review_detail @> '{\"attempt\": 10, \"status_code\": 500}'"))
            // Nudged, it is tried once.
            scene.sink.answer(404)
            #expect(try await scene.desk.nudge(["1"]) == ["1"])
            try await scene.check()
            #expect(
                try await scene.isTrue(
                    """
                    status = 'review' AND review_reason = 'UNDELIVERED' AND next_check_at IS NULL
                        AND last_status_code = 404 AND last_error LIKE '%404%'
                    """))
            scene.sink.answer(200)
            try await scene.check()
            #expect(try await scene.isTrue("status = 'delivered' AND review_reason IS NULL"))
            #expect(scene.sink.calls.count == 3)
        }
    }

    @Test func whatIsGoneIsAHumansAtOnce() async throws {
        try await Scene.with { scene in
            try await scene.insert()
            scene.sink.answer(410)
            try await scene.check()
            #expect(try await scene.isTrue("status = 'review' AND review_reason = 'GONE' AND check_count = 1"))
        }
    }

    @Test func aDryRunSendsNothing() async throws {
        try await Scene.with { scene in
            try await scene.insert()
            let check = try await scene.check(isDryRun: true)
            #expect(check.conclusion.answer?.contains("\(scene.sink.url)/shop") == true)
            #expect(scene.sink.calls.isEmpty)
            #expect(try await scene.isTrue("check_count = 0 AND claim_count = 0"))
        }
    }

    // MARK: by hand

    @Test func aPersonHasItSentAgainUnderTheSameID() async throws {
        try await Scene.with { scene in
            try await scene.insert()
            try await scene.check()
            // Due without a reason: nothing is sent twice by that.
            #expect(try await scene.desk.nudge(["1", "2", "none", "99999999999999999999", "-1", "01"]) == ["1"])
            try await scene.check()
            #expect(scene.sink.calls.count == 1)
            let row = try #require(try await scene.desk.resolve("1", status: "pending", note: "lost there", .init()))
            #expect(row.contains(#""status": "pending""#))
            try await scene.withPoller {
                try await eventually("delivered again") { try await scene.isTrue("status = 'delivered'") }
            }
            #expect(scene.sink.calls.map(\.id) == ["evt_1", "evt_1"])

            try await scene.insert(2)
            _ = try await scene.desk.resolve("2", status: "delivered", note: "by phone", .init())
            #expect(try await scene.isTrue("next_check_at IS NULL AND delivered_at IS NOT NULL", of: 2))
            #expect(try await scene.desk.resolve("x", status: "pending", note: "?", .init()) == nil)
            #expect(try await scene.desk.show("x") == nil)
            #expect(try await scene.desk.rows(RowFilter(after: "1"), limit: 5).rows.count == 1)
            #expect(try await scene.desk.remove("2"))
            #expect(try await !scene.desk.remove("2"))
            #expect(try await scene.desk.history("2").count == 2)
        }
    }

    @Test func peoplePageThroughDeliveriesAndFindThem() async throws {
        try await Scene.with { scene in
            for id in 8...12 { try await scene.insert(id, subject: "orders/\(id)") }
            try await scene.check(9)
            let overview = WatchOverview<DeliveryTable>(pool: scene.database.pool)
            #expect(try await overview.lanes(["shop"]).map(\.due) == [RowCount(4)])
            func ids(_ filter: RowFilter, limit: Int = 10) async throws -> ([String], next: String?) {
                let page = try await scene.desk.page(filter, limit: limit)
                let ids = try page.rows.map { try JSONValue(parsing: $0)["id"]?.text ?? "" }
                return (ids, page.next)
            }
            let first = try await ids(RowFilter(), limit: 3)
            #expect(first.0 == ["8", "9", "10"] && first.next == "10")
            let second = try await ids(RowFilter(after: "10"), limit: 3)
            #expect(second.0 == ["11", "12"] && second.next == nil)
            #expect(try await ids(RowFilter(status: "delivered")).0 == ["9"])
            #expect(try await ids(RowFilter(prefix: "1")).0 == ["10", "11", "12"])
            #expect(try await scene.desk.find("10", lanes: [], limit: 5) == ["10"])
            #expect(try await scene.desk.find("evt_9", lanes: [], limit: 5) == ["9"])
            #expect(try await scene.desk.find("nobody", lanes: [], limit: 5) == [])
            #expect(try await scene.desk.oldestDue(lanes: ["shop"], limit: 2).count == 2)
            scene.sink.answer(410)
            try await scene.check(12)
            #expect(try await scene.desk.inReview(limit: 5).count == 1)
        }
    }

    @Test func whatWasDeliveredTwoWeeksAgoIsRemovedAndTheRestIsKept() async throws {
        try await Scene.with { scene in
            try await scene.run(
                """
                INSERT INTO reconciled.deliveries (endpoint, event_id, event_type, subject, payload, status, delivered_at,
                    next_check_at)
                SELECT 'shop', 'evt_' || n, 'order.paid', 'orders/' || n, '{}', 'delivered',
                    now() - interval '13 days 23 hours' - (n % 2) * interval '2 hours', NULL
                FROM generate_series(1, 4400) AS n
                """)
            try await scene.insert(10_000)
            try await scene.run(
                """
                INSERT INTO reconciled.deliveries (endpoint, event_id, event_type, subject, payload, status, created_at)
                VALUES ('shop', 'evt_r', 'order.paid', 'orders/r', '{}', 'review', now() - interval '1 year')
                """)
            let outbox = Outbox(pool: scene.database.pool)
            #expect(try await outbox.forgetDelivered() == 2_200)
            #expect(try await outbox.forgetDelivered() == 0)
            #expect(try await scene.count("true") == 2_202)
        }
    }

    @Test func theAuditorFindsWhatNobodyWillDeliver() async throws {
        try await Scene.with { scene in
            try await scene.insert(1)
            try await scene.insert(2, endpoint: "former")
            try await scene.run("UPDATE reconciled.deliveries SET next_check_at = NULL WHERE id = 1")
            let findings = try await WatchOverview<DeliveryTable>(pool: scene.database.pool).audit(lanes: ["shop"])
            #expect(Set(findings.map(\.kind)) == ["adrift", "unconfigured"])
            #expect(findings.first { $0.kind == "adrift" }?.rowID == "1")
            #expect(findings.first { $0.kind == "unconfigured" }?.lane == "former")
        }
    }
}
