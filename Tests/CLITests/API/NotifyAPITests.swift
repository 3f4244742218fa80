import JSON
import NIOHTTP1
import TestSupport
import Testing
import Timeline

@testable import Console

/// What gateways may say to anyone who listens: a nudge, never a fact.
@Suite struct NotifyAPITests {
    @Test func newsMakesAnOrderDueOnceInFiveSeconds() async throws {
        try await APIScene.with { api in
            try await api.run(
                """
                INSERT INTO reconciled.orders (id, gateway, gateway_ref, amount_minor, currency, status, next_check_at, last_checked_at)
                VALUES ('a', 'trial', 'pi_1', 1, 'EUR', 'pending', now() + interval '1 hour', NULL),
                    ('just', 'trial', NULL, 1, 'EUR', 'pending', now() + interval '1 hour', now() - interval '1 second'),
                    ('rest', 'trial', NULL, 1, 'EUR', 'cancelled', NULL, now() - interval '1 day'),
                    ('paid', 'trial', NULL, 1, 'EUR', 'paid', NULL, NULL),
                    ('soon', 'trial', NULL, 1, 'EUR', 'pending', now() + interval '3 seconds', now() - interval '1 second'),
                    ('other', 'alipay', NULL, 1, 'EUR', 'pending', now() + interval '1 hour', NULL)
                """)
            func due(_ id: String) async throws -> String {
                try await api.values(
                    """
                    SELECT CASE
                        WHEN next_check_at <= now() THEN 'now'
                        WHEN next_check_at <= last_checked_at + interval '5 seconds' THEN 'soon'
                        WHEN next_check_at IS NULL THEN 'never' ELSE 'later'
                    END FROM reconciled.orders WHERE id = '\(id)'
                    """
                ).first ?? ""
            }
            for id in ["a", "just", "rest", "paid", "soon", "other"] {
                let reply = try await api.ask(.POST, "/v1/notify/trial", as: nil, json: #"{"id":"\#(id)"}"#)
                #expect(reply.status == 202 && reply.body == #"{"taken":true}"#)
            }
            #expect(try await due("a") == "now")
            // One that was asked about a second ago is asked about when five have gone by.
            #expect(try await due("just") == "soon")
            #expect(try await due("rest") == "now")
            #expect(try await due("paid") == "never")
            #expect(try await due("soon") == "soon")
            #expect(try await due("other") == "later")
            // A second time nothing is written, whichever process is told.
            let versions = "SELECT concat_ws(' ', id, xmin, next_check_at) FROM reconciled.orders ORDER BY id"
            let before = try await api.values(versions)
            for id in ["a", "just", "rest", "paid", "soon", "none"] {
                let reply = try await api.ask(.POST, "/v1/notify/trial?id=\(id)", as: nil)
                #expect(reply.status == 202 && reply.body == #"{"taken":true}"#)
            }
            #expect(try await api.values(versions) == before)
            // It is nobody's doing: the history has people's deeds.
            #expect(try await api.values("SELECT actor FROM reconciled.history").isEmpty)
            let text = api.registry.text()
            #expect(text.contains(#"reconciled_notifications_total{gateway="trial",outcome="nudged"} 3"#))
        }
    }

    @Test func aRowThatTheApplicationHoldsDelaysNobodyForLong() async throws {
        try await APIScene.with { api in
            for id in ["held", "free"] { _ = try await api.ask(.PUT, "/v1/orders/\(id)", json: APIScene.order) }
            let (isHeld, held) = AsyncStream.makeStream(of: Void.self)
            let isDone = Flag()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await api.pool.withTransaction { transaction in
                        try transaction.execute(script: "SELECT 1 FROM reconciled.orders WHERE id = 'held' FOR UPDATE")
                        held.yield()
                        while !isDone.isSet {
                            try transaction.execute(script: "SELECT pg_sleep(0.01)")
                        }
                    }
                }
                for await _ in isHeld { break }
                let outcome = await Result(catching: {
                    for path in ["notify/trial?id=held", "orders/held/nudge"] {
                        let reply = try await api.ask(.POST, "/v1/\(path)")
                        #expect(reply.status == 503 && reply.headers.first(name: "retry-after") == "1", "\(reply.body)")
                        #expect(try await api.ask(.POST, "/v1/" + path.replacing("held", with: "free")).status != 503)
                    }
                })
                isDone.set()
                try await group.waitForAll()
                try outcome.get()
            }
            #expect(try await api.ask(.POST, "/v1/notify/trial?id=held").status == 202)
        }
    }

    @Test func newsDuringACheckSurvivesIt() async throws {
        try await APIScene.with { api in
            try await api.run(
                """
                INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, next_check_at, lease_token, lease_expires_at, leased_by)
                VALUES ('a', 'trial', 1, 'EUR', now() - interval '1 second', 1, now() + interval '1 minute', 'p')
                """)
            let state = """
                SELECT concat_ws(' ', xmin, next_check_at BETWEEN now() + interval '3 seconds' AND now() + interval '5 seconds')
                FROM reconciled.orders
                """
            _ = try await api.ask(.POST, "/v1/notify/trial?id=a", as: nil)
            let after = try await api.values(state)
            #expect(after.first?.hasSuffix(" t") == true)
            _ = try await api.ask(.POST, "/v1/notify/trial?id=a", as: nil)
            #expect(try await api.values(state) == after)
        }
    }

    @Test(arguments: [
        (
            "/v1/notify/trial", "application/json",
            #"{"type":"x","data":{"object":{"id":"pi_1","object":"payment_intent"}}}"#
        ),
        ("/v1/notify/trial", "application/json", #"{"data":{"object":{"id":"ch_1","payment_intent":"pi_1"}}}"#),
        ("/v1/notify/trial", "application/json", #"{"gateway_ref":"pi_1"}"#),
        (
            "/v1/notify/trial", "application/x-www-form-urlencoded; charset=utf-8",
            "a=%FF&out_trade_no=a%2Fb&trade_status=X"
        ),
        ("/v1/notify/trial", "application/json", #"{"out_trade_no":"a/b"}"#),
        ("/v1/notify/trial?gateway_ref=pi_1", "text/plain", "whatever"),
        ("/v1/notify/trial?id=a%2Fb", "application/json", "{"),
    ])
    func eachGatewaysShapeIsUnderstood(path: String, type: String, body: String) async throws {
        try await APIScene.with { api in
            try await api.run(
                """
                INSERT INTO reconciled.orders (id, gateway, gateway_ref, amount_minor, currency, next_check_at)
                VALUES ('a/b', 'trial', 'pi_1', 1, 'EUR', now() + interval '1 hour')
                """)
            #expect(try await api.ask(.POST, path, as: nil, json: body, type: type).status == 202)
            #expect(
                try await api.values("SELECT id FROM reconciled.orders WHERE next_check_at <= now()") == ["a/b"])
        }
    }

    @Test func gatewaysHearTheWordsThatTheyWant() async throws {
        try await APIScene.with { api in
            let alipay = try await api.ask(.POST, "/v1/notify/alipay", as: nil, json: "out_trade_no=x", type: nil)
            #expect(alipay.status == 200 && alipay.body == "success")
            let wechat = try await api.ask(.POST, "/v1/notify/wechat", as: nil, json: #"{"resource":{}}"#)
            #expect(wechat.status == 200 && wechat.json["code"]?.string == "SUCCESS")
            #expect(try await api.ask(.POST, "/v1/notify/nope", as: nil, json: "{}").status == 404)
            let large = String(repeating: "x", count: 65 << 10)
            #expect(try await api.ask(.POST, "/v1/notify/trial", as: nil, json: large).status == 413)
        }
    }

    /// Whoever may send anything is told as well what is not taken.
    @Test func whatIsRefusedOfANotificationIsDocumented() async throws {
        try await APIScene.with { api in
            let answers = api.document["paths"]?["/v1/notify/{gateway}"]?["post"]?["responses"]
            for (header, status) in [
                (("content-encoding", "gzip"), UInt(415)), (("sec-fetch-site", "cross-site"), 403),
            ] {
                let reply = try await api.ask(.POST, "/v1/notify/trial", as: nil, json: "{}", headers: [header])
                #expect(reply.status == status && reply.type == "application/problem+json", "\(reply)")
                #expect(answers?["\(status)"] != nil)
            }
        }
    }

    @Test func aFloodIsRefused() async throws {
        try await APIScene.with { api in
            var statuses: [UInt: Int] = [:]
            let clock = ContinuousClock.now
            for _ in 0..<40 {
                let replies = try await withThrowingTaskGroup(of: APIScene.Reply.self) { group in
                    for _ in 0..<50 {
                        group.addTask { try await api.ask(.POST, "/v1/notify/trial?id=none", as: nil) }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                for reply in replies {
                    statuses[reply.status, default: 0] += 1
                    if reply.status == 429 { #expect(reply.headers["retry-after"] == ["1"]) }
                }
                if statuses[429] != nil { break }
            }
            let seconds = (ContinuousClock.now - clock) / .seconds(1)
            #expect(Set(statuses.keys) == [202, 429])
            // What one address may send: 300 at once and 100 a second.
            #expect(Double(statuses[202] ?? 0) <= 301 + 100 * seconds)
        }
    }

    @Test func aBudgetIsABucketForEach() {
        let budget = RequestBudget(rate: 10, burst: 3, keysMax: 2)
        var now = Moment(nanoseconds: 0)
        for _ in 0..<3 { #expect(budget.take("a", at: now) == nil) }
        #expect(budget.take("a", at: now) == .milliseconds(100))
        #expect(budget.take("b", at: now) == nil)
        // Those beyond the bound share one.
        for key in ["c", "d", "e"] { #expect(budget.take(key, at: now) == nil) }
        #expect(budget.take("f", at: now) != nil)
        now = now + .milliseconds(100)
        #expect(budget.take("a", at: now) == nil && budget.take("a", at: now) != nil)
        now = now + .seconds(10)
        for _ in 0..<3 { #expect(budget.take("g", at: now) == nil) }
        #expect(budget.take("g", at: now) != nil)
    }
}
