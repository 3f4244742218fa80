import JSON
import NIOHTTP1
import Outgoing
import Testing

@testable import Console

/// Rows over HTTP: added, shown, listed, decided about and removed.
@Suite struct RowAPITests {
    @Test func addingTwiceIsAddingOnce() async throws {
        try await APIScene.with { api in
            let new = try await api.ask(.PUT, "/v1/timers/tick", json: APIScene.timer)
            #expect(new.status == 201 && new.body == #"{"id":"tick","outcome":"added"}"#)
            let same = try await api.ask(.PUT, "/v1/timers/tick", json: APIScene.timer)
            #expect(same.status == 200 && same.body == #"{"id":"tick","outcome":"exists"}"#)
            // What was not sent is not compared, and null is what stands there when nothing was sent.
            let less = try await api.ask(
                .PUT, "/v1/timers/tick", json: #"{"every":"60m","url":"https://shop.example/tick","body":null}"#)
            #expect(less.status == 200)
            let other = try await api.ask(
                .PUT, "/v1/timers/tick", json: #"{"every":"2h","url":"https://shop.example/tick","max_runs":3}"#)
            #expect(other.status == 409 && other.type == "application/problem+json" && other.field == "every")
            #expect(other.body.contains("every, max_runs"))
            #expect(try await api.values("SELECT every::text FROM reconciled.timers") == ["01:00:00"])

            let removed = try await api.ask(.DELETE, "/v1/timers/tick")
            // A whole number is one however it is written.
            let order = #"{"gateway":"trial","amount_minor":1999.0,"currency":"EUR"}"#
            #expect(try await api.ask(.PUT, "/v1/orders/n", json: order).status == 201)
            #expect(
                try await api.ask(.PUT, "/v1/orders/n", json: order.replacing("1999.0", with: "1.999e3")).status == 200)
            #expect(removed.status == 200 && removed.body == #"{"id":"tick","outcome":"removed"}"#)
            #expect(try await api.ask(.DELETE, "/v1/timers/tick").status == 404)
            #expect(try await api.ask(.GET, "/v1/timers/tick").status == 404)
            // Its history tells who removed it.
            let history = try await api.ask(.GET, "/v1/timers/tick/history")
            #expect(history.body.contains(#""actor": "ada""#) && history.body.contains("REMOVED"))
        }
    }

    @Test func anIdMayHoldAnyCharacter() async throws {
        let ids = [
            "a/b", "100%", "%2F", "a b", "ü", "u\u{308}", "🧾", "history", "?x=1&y", "#", "..%", "a+b", "\"q\"",
            "a/b/history",
        ]
        try await APIScene.with { api in
            for id in ids {
                let path = "/v1/orders/\(PercentEncoding.segment(id))"
                #expect(try await api.ask(.PUT, path, json: APIScene.order).status == 201, "\(id)")
                let shown = try await api.ask(.GET, path)
                #expect(shown.status == 200 && shown.json["id"]?.string?.utf8.elementsEqual(id.utf8) == true, "\(id)")
                #expect(try await api.ask(.POST, path + "/nudge").status == 200, "\(id)")
                let history = try await api.ask(.GET, path + "/history")
                #expect(history.json["history"] != nil && history.body.contains("NUDGED"), "\(id)")
            }
            let stored = try await api.values("SELECT id FROM reconciled.orders")
            #expect(Set(stored.map { Array($0.utf8) }) == Set(ids.map { Array($0.utf8) }))
            for wrong in ["%00", "a%0Ab", String(repeating: "x", count: 300)] {
                let put = try await api.ask(.PUT, "/v1/orders/\(wrong)", json: APIScene.order)
                #expect([400, 422].contains(put.status) && put.field == "id", "\(wrong): \(put)")
                #expect([400, 404].contains(try await api.ask(.GET, "/v1/orders/\(wrong)").status), "\(wrong)")
            }
        }
    }

    @Test func whatIsWrongIsNamed() async throws {
        let deep = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        @Sendable func order(_ member: String) -> String {
            #"{"gateway":"trial","amount_minor":1,"currency":"EUR",\#(member)}"#
        }
        let cases: [(body: String, status: UInt, field: String)] = [
            ("", 400, "body"), ("x", 400, "body"), ("[]", 422, "body"), ("null", 422, "body"), ("{}", 422, "gateway"),
            (order(#""metadata":{"a":\#(deep)}"#), 400, "body"), (order(#""currency":"EUR""#), 400, "body"),
            (order(#""id":"y""#), 422, "id"), (order(#""id":7"#), 422, "id"), (order(#""nope":1"#), 422, "nope"),
            (order(#""gateway_ref":"a\u0000b""#), 422, "gateway_ref"), (order(#""gateway_ref":"\ud800""#), 400, "body"),
            (order(#""metadata":{"n":1e999999999}"#), 422, "metadata"),
            (order(#""metadata":{"n":"\u0000"}"#), 422, "metadata"), (order(#""metadata":[]"#), 422, "metadata"),
            (#"{"gateway":"trial","amount_minor":1e30,"currency":"EUR"}"#, 422, "amount_minor"),
            (#"{"gateway":"trial","amount_minor":0.5,"currency":"EUR"}"#, 422, "amount_minor"),
            (#"{"gateway":"trial","amount_minor":"1","currency":"EUR"}"#, 422, "amount_minor"),
            (#"{"gateway":"trial","amount_minor":1,"currency":"eur"}"#, 422, "currency"),
            (order(#""expires_at":"tomorrow""#), 422, "expires_at"), (order(#""status":"paid""#), 422, "status"),
        ]
        try await APIScene.with { api in
            for (body, status, field) in cases {
                let reply = try await api.ask(.PUT, "/v1/orders/x", json: body)
                #expect(reply.status == status && reply.field == field, "\(body.prefix(80)): \(reply.body)")
                #expect(reply.type == "application/problem+json")
            }
            // The configuration's own rules hold too.
            let forbidden = try await api.ask(
                .PUT, "/v1/timers/x", json: #"{"every":"1h","url":"http://169.254.169.254/"}"#)
            #expect(forbidden.status == 422 && forbidden.field == "url")

            // Nobody ever takes it in a lane of another watch; one that nobody here knows may be another process's.
            let strayed: [(path: String, body: String, field: String)] = [
                ("timers", APIScene.timer.replacing("{", with: #"{"lane":"trial","#), "lane"),
                ("timers", APIScene.timer.replacing("{", with: #"{"lane":"media","#), "lane"),
                ("orders", APIScene.order.replacing("trial", with: "timers"), "gateway"),
                ("uploads", #"{"store":"trial","name":"n","total_bytes":1,"chunk_bytes":1}"#, "store"),
            ]
            for (path, body, field) in strayed {
                let reply = try await api.ask(.PUT, "/v1/\(path)/x", json: body)
                #expect(reply.status == 422 && reply.field == field, "\(body): \(reply.body)")
                #expect(reply.body.contains("would wait for ever") && reply.body.contains("another process has"))
            }
            let elsewhere = APIScene.timer.replacing("{", with: #"{"lane":"slow","#)
            #expect(try await api.ask(.PUT, "/v1/timers/elsewhere", json: elsewhere).status == 201)

            let types: [(String?, UInt)] = [
                (nil, 415), ("text/plain", 415), ("application/jsonp", 415), ("application/json; charset=utf-8", 201),
            ]
            for (type, status) in types {
                let reply = try await api.ask(.PUT, "/v1/orders/typed", json: APIScene.order, type: type)
                #expect(reply.status == status, "\(type ?? "none")")
            }
            let large = order(#""metadata":{"x":"\#(String(repeating: "x", count: 1 << 20))"}"#)
            let tooLarge = try await api.ask(.PUT, "/v1/orders/x", json: large)
            #expect(tooLarge.status == 413 && tooLarge.field == "body")
            #expect(try await api.values("SELECT id FROM reconciled.orders") == ["typed"])
        }
    }

    @Test func pagesHoldEachRowOnceWhateverChangesMeanwhile() async throws {
        try await APIScene.with { api in
            try await api.run(
                """
                INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, next_check_at)
                SELECT 'o' || lpad(n::text, 3, '0'), 'trial', 1, 'EUR', now() + interval '1 hour'
                FROM generate_series(1, 95) AS n
                """)
            var seen: [String] = []
            var cursor = ""
            var pages = 0
            repeat {
                let page = try await api.ask(.GET, "/v1/orders?limit=10\(cursor)", as: "viewer")
                #expect(page.status == 200)
                guard case .array(let rows) = page.json["orders"] else { throw Missing() }
                seen += rows.compactMap { $0["id"]?.string }
                pages += 1
                // Behind the cursor rows go, before it they come; and one that is to come goes.
                try await api.run("DELETE FROM reconciled.orders WHERE id = '\(seen.last ?? "")'")
                try await api.run(
                    "INSERT INTO reconciled.orders (id, gateway, amount_minor, currency) VALUES ('a\(pages)', 'trial', 1, 'EUR')"
                )
                try await api.run("DELETE FROM reconciled.orders WHERE id = 'o095'")
                cursor = page.json["next"]?.string.map { "&cursor=\($0)" } ?? ""
            } while !cursor.isEmpty
            #expect(pages == 10)
            #expect(seen == (1...94).map { "o" + String(repeating: "0", count: 3 - String($0).count) + String($0) })

            let paused = try await api.ask(.GET, "/v1/timers?status=paused&due=true&limit=1")
            #expect(paused.body == #"{"timers":[],"next":null}"#)
            for (query, field) in [
                ("status=nope", "status"), ("due=1", "due"), ("limit=0", "limit"), ("limit=1001", "limit"),
                ("limit=-1", "limit"), ("limit=1&limit=2", "limit"), ("cursor=!", "cursor"), ("cursor=", "cursor"),
                ("after=x", "after"), ("limit=%ff", "limit"), ("=x", "a parameter"),
            ] {
                let reply = try await api.ask(.GET, "/v1/orders?" + query)
                #expect(reply.status == 422 && reply.field == field, "\(query): \(reply.body)")
            }
            // A place among orders is none among deliveries, which have numbers.
            let elsewhere = Cursor.text(after: "o001")
            #expect(try await api.ask(.GET, "/v1/orders?cursor=\(elsewhere)").status == 200)
            #expect(try await api.ask(.GET, "/v1/deliveries?cursor=\(elsewhere)").field == "cursor")
            #expect(try await api.ask(.GET, "/v1/deliveries?cursor=\(Cursor.text(after: "7"))").status == 200)
        }
    }

    @Test func aPersonsDecisionStandsInTheHistoryWithTheName() async throws {
        try await APIScene.with { api in
            _ = try await api.ask(.PUT, "/v1/orders/x", json: APIScene.order)
            _ = try await api.ask(.PUT, "/v1/orders/y", json: APIScene.order)
            for (body, field) in [
                (#"{"status":"paid","note":"seen","txn":" "}"#, "txn"),
                (#"{"status":"paid","note":"seen","txn":"ch_1\n"}"#, "txn"),
                (#"{"status":"paid","note":"seen"}"#, "txn"), (#"{"status":"nope","note":"seen"}"#, "status"),
                (#"{"status":"closed"}"#, "note"), (#"{"status":"closed","note":" "}"#, "note"),
                (#"{"status":"closed","note":"x","why":"y"}"#, "why"), (#"{"note":"x"}"#, "status"),
            ] {
                let reply = try await api.ask(.POST, "/v1/orders/x/resolve", as: "operator", json: body)
                #expect(reply.status == 422 && reply.field == field, "\(body): \(reply.body)")
            }
            let paid = #"{"status":"paid","note":"on the statement","txn":"ch_1"}"#
            let resolved = try await api.ask(.POST, "/v1/orders/x/resolve", as: "operator", json: paid)
            #expect(resolved.status == 200 && resolved.json["status"]?.string == "paid")
            // One payment settles one order.
            let twice = try await api.ask(.POST, "/v1/orders/y/resolve", as: "operator", json: paid)
            #expect(twice.status == 409 && twice.body.contains("holds the transaction"))
            #expect(try await api.ask(.POST, "/v1/orders/z/resolve", as: "operator", json: paid).status == 404)
            #expect(try await api.ask(.POST, "/v1/orders/z/nudge", as: "operator").status == 404)
            #expect(try await api.ask(.POST, "/v1/orders/y/nudge", as: "operator").status == 200)
            let entries = try await api.values(
                "SELECT concat_ws(' ', row_id, actor, reason, status_before, status_after) FROM reconciled.history ORDER BY id"
            )
            #expect(
                entries == [
                    "x ada ADDED pending pending", "y ada ADDED pending pending", "x otto RESOLVED pending paid",
                    "y otto NUDGED pending pending",
                ])
        }
    }

    @Test(arguments: ["orders", "uploads", "timers"])
    func aDecisionIsAboutWhatThePersonSaw(watch: String) async throws {
        let (insert, status) =
            switch watch {
            case "orders": ("(id, gateway, amount_minor, currency) VALUES ('x', 'trial', 1, 'EUR')", "closed")
            case "uploads":
                (
                    "(id, store, name, total_bytes, chunk_bytes, chunk_count) VALUES ('x', 'media', 'f', 1, 1, 1)",
                    "expired"
                )
            default: ("(id, every, url) VALUES ('x', '1 h', 'https://shop.example/')", "paused")
            }
        try await APIScene.with { api in
            try await api.run("INSERT INTO reconciled.\(watch) \(insert)")
            try await api.run("UPDATE reconciled.\(watch) SET status = 'review', review_reason = 'POISON'")
            func resolve(_ seen: String) async throws -> APIScene.Reply {
                try await api.ask(
                    .POST, "/v1/\(watch)/x/resolve", as: "operator",
                    json: #"{"status":"\#(status)","note":"seen"\#(seen)}"#)
            }
            for seen in [
                #","seen_status":"\#(status)""#, #","seen_status":"review""#,
                #","seen_status":"review","seen_reason":"GAVE_UP""#,
            ] {
                let reply = try await resolve(seen)
                #expect(reply.status == 409 && reply.body.contains("review (POISON)"), "\(reply.body)")
            }
            #expect(try await resolve(#","seen_reason":"POISON""#).field == "seen_reason")
            // What no row can say is not asked of the database.
            for text in [#"A\u0000"#, String(repeating: "A", count: 256)] {
                let seenReason = try await resolve(#","seen_status":"review","seen_reason":"\#(text)""#)
                #expect(seenReason.status == 422 && seenReason.field == "seen_reason")
                #expect(try await resolve(#","seen_status":"\#(text)""#).field == "seen_status")
            }
            #expect(try await api.values("SELECT status FROM reconciled.\(watch)") == ["review"])
            #expect(try await api.values("SELECT reason FROM reconciled.history").isEmpty)
            #expect(try await resolve(#","seen_status":"review","seen_reason":"POISON""#).status == 200)
            #expect(try await resolve(#","seen_status":"\#(status)","seen_reason":null"#).status == 200)
            #expect(try await api.values("SELECT status FROM reconciled.\(watch)") == [status])
        }
    }

    @Test func askingAgainFromTheStartEndsTheCheckUnderWay() async throws {
        try await APIScene.with { api in
            try await api.run(
                """
                INSERT INTO reconciled.orders
                    (id, gateway, amount_minor, currency, lease_token, lease_expires_at, leased_by)
                VALUES ('x', 'trial', 1, 'EUR', 7, now() + interval '1 minute', 'p')
                """)
            let lease = "SELECT concat_ws(' ', lease_token, leased_by) FROM reconciled.orders"
            for (status, left) in [("closed", "7 p"), ("pending", "7 p"), ("pending", "")] {
                let reply = try await api.ask(
                    .POST, "/v1/orders/x/resolve", json: #"{"status":"\#(status)","note":"seen"}"#)
                #expect(reply.status == 200)
                #expect(try await api.values(lease) == [left])
            }
        }
    }

    @Test func dueRowsAreFoundPageByPage() async throws {
        try await APIScene.with { api in
            try await api.run(
                """
                INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, next_check_at)
                SELECT 'o' || n, 'trial', 1, 'EUR', CASE WHEN n % 2 = 0 THEN now() ELSE now() + interval '1 day' END
                FROM generate_series(1, 9) AS n
                """)
            var (ids, cursor): ([String], String?) = ([], nil)
            repeat {
                let next = cursor.map { "&cursor=\($0)" } ?? ""
                let page = try await api.ask(.GET, "/v1/orders?due=true&limit=3\(next)").json
                guard case .array(let rows) = page["orders"] else { throw Missing() }
                #expect(rows.count <= 3)
                ids += rows.compactMap { $0["id"]?.string }
                cursor = page["next"]?.string
            } while cursor != nil
            #expect(ids == ["o2", "o4", "o6", "o8"])
        }
    }

    private struct Missing: Error {}
}
