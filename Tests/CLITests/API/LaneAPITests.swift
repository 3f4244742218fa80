import JSON
import TestSupport
import Testing

@testable import Console
@testable import ReconciledCLI

/// Lanes, pollers and the state of all.
@Suite struct LaneAPITests {
    @Test func aPauseIsRecordedByTheStatementThatMakesIt() async throws {
        try await APIScene.with { api in
            let missing = try await api.ask(.POST, "/v1/lanes/trial/pause", as: "operator", json: "{}")
            #expect(missing.status == 422 && missing.field == "why")
            #expect(try await api.ask(.POST, "/v1/lanes/nope/pause", json: #"{"why":"x"}"#).status == 404)

            let paused = try await api.ask(
                .POST, "/v1/lanes/trial/pause", as: "operator", json: #"{"why":"maintenance"}"#)
            #expect(paused.json["paused"]?.bool == true && paused.json["paused_by"]?.string == "otto")
            #expect(paused.json["pause_reason"]?.string == "maintenance")
            _ = try await api.ask(.POST, "/v1/lanes/trial/pause", as: "admin", json: #"{"why":"longer"}"#)
            let resumed = try await api.ask(.POST, "/v1/lanes/trial/resume", as: "operator")
            #expect(resumed.status == 200 && resumed.json["paused"]?.bool == false)
            // Nothing changes, nothing is recorded.
            #expect(try await api.ask(.POST, "/v1/lanes/trial/resume", as: "operator").status == 200)

            let entries = try await api.values(
                """
                SELECT concat_ws(' ', watch, row_id, lane, actor, reason, status_before, status_after, answer ->> 'why')
                FROM reconciled.history ORDER BY id
                """)
            #expect(
                entries == [
                    "lanes trial trial otto PAUSED running paused maintenance",
                    "lanes trial trial ada PAUSED paused paused longer",
                    "lanes trial trial otto RESUMED paused running",
                ])
            let history = try await api.ask(.GET, "/v1/lanes/trial/history?limit=1")
            #expect(history.body.contains("RESUMED") && !history.body.contains("PAUSED"))
        }
    }

    @Test func lanesOfTheConfigurationAndTheDatabaseAreListed() async throws {
        try await APIScene.with { api in
            try await api.run("INSERT INTO reconciled.lanes (name) VALUES ('gone'), ('trial')")
            let reply = try await api.ask(.GET, "/v1/lanes", as: "viewer")
            guard case .array(let lanes) = reply.json["lanes"] else { throw Missing() }
            let names = lanes.map { "\($0["lane"]?.string ?? "") \($0["watch"]?.string ?? "-")" }
            #expect(
                names == ["alipay orders", "gone -", "media uploads", "timers timers", "trial orders", "wechat orders"])
            #expect(try await api.ask(.GET, "/v1/lanes/gone").json["configured"]?.bool == false)
            #expect(try await api.ask(.GET, "/v1/pollers", as: "viewer").body == #"{"pollers":[]}"#)
        }
    }

    /// An order of a misspelt gateway waits for ever: its lane is told, of the watch whose rows wait there.
    @Test func lanesThatNobodyConfiguredAreListedWhereRowsWait() async throws {
        try await APIScene.with { api in
            try await api.run(
                """
                INSERT INTO reconciled.lanes (name) VALUES ('former');
                """)
            try await api.run(
                """
                INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, next_check_at)
                SELECT g, g, 1, 'EUR', CASE WHEN g <> 'rests' THEN now() END
                FROM unnest('{trail,media,former,rests}'::text[]) AS g
                """)
            guard case .array(let lanes) = try await api.ask(.GET, "/v1/lanes", as: "viewer").json["lanes"] else {
                throw Missing()
            }
            let unconfigured = lanes.filter { $0["configured"]?.bool == false }
                .map { "\($0["lane"]?.string ?? "") \($0["watch"]?.string ?? "-")" }
            #expect(unconfigured == ["former orders", "media orders", "trail orders"])
            let shown = try await api.ask(.GET, "/v1/lanes/trail")
            #expect(shown.status == 200 && shown.json["configured"]?.bool == false)
            // A name is its own watch's first.
            #expect(try await api.ask(.GET, "/v1/lanes/media").json["watch"]?.string == "uploads")

            // What nobody named but a row is no lane that can be paused; what a poller named once is.
            for action in ["pause", "resume"] {
                let refused = try await api.ask(.POST, "/v1/lanes/trail/\(action)", json: #"{"why":"x"}"#)
                #expect(refused.status == 409, "\(refused)")
            }
            #expect(try await api.ask(.POST, "/v1/lanes/former/pause", json: #"{"why":"x"}"#).status == 200)
            #expect(try await api.values("SELECT name FROM reconciled.lanes ORDER BY 1") == ["former"])
        }
    }

    @Test func statsSayWhereCountingEnded() async throws {
        try await APIScene.with { api in
            try await api.run(
                """
                INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, next_check_at, review_reason)
                SELECT 'r' || n, 'trial', 1, 'EUR', now() - interval '1 minute', CASE WHEN n = 1 THEN 'GAVE_UP' END
                FROM generate_series(1, 10001) AS n
                """)
            try await api.run("ANALYZE reconciled.orders")
            let reply = try await api.ask(.GET, "/v1/stats", as: "viewer")
            guard case .array(let lanes) = reply.json["lanes"], case .array(let orders) = reply.json["orders"] else {
                throw Missing()
            }
            let trial = try #require(lanes.first { $0["lane"]?.string == "trial" })
            #expect(trial["waiting"]?.integer == 10_000 && trial["due"]?.integer == 10_000)
            #expect(trial["precision"]?["due"]?.string == "at_least")
            #expect(trial["late_seconds"]?.integer ?? 60 >= 60)
            let idle = try #require(lanes.first { $0["lane"]?.string == "wechat" })
            #expect(idle["due"]?.integer == 0 && idle["precision"]?["due"]?.string == "exact")
            #expect(orders.map { $0["precision"]?.string } == ["estimated", "exact"], "\(reply.body)")
            #expect(orders[1]["review_reason"]?.string == "GAVE_UP" && orders[1]["count"]?.integer == 1)

            let configuration = try Configuration(yaml: APIScene.yaml, fileName: "r.yaml", environment: [:])
            let text = try await StatusReport(Watch.allServed.map { $0.init(configuration) }, pool: api.pool)
                .text(usesColour: false)
            #expect(text.contains("10,000+") && text.contains("~10,000"), "\(text)")
        }
    }

    @Test func statsAreWhatTheCommandPrints() async throws {
        try await APIScene.with { api in
            _ = try await api.ask(.PUT, "/v1/orders/x", json: APIScene.order)
            let reply = try await api.ask(.GET, "/v1/stats", as: "viewer")
            #expect(reply.status == 200)
            #expect(
                reply.json["orders"]
                    == .array([
                        .object([
                            .init("status", .string("pending")), .init("review_reason", .null),
                            .init("count", .number("1")), .init("precision", .string("exact")),
                        ])
                    ]))
            guard case .array(let lanes) = reply.json["lanes"] else { throw Missing() }
            #expect(lanes.contains { $0["lane"]?.string == "trial" && $0["waiting"]?.integer == 1 })
            #expect(reply.json["read_at"]?.string?.hasSuffix("Z") == true)
        }
    }

    private struct Missing: Error {}
}
