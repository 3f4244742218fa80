import Postgres
import PostgresStore
import Testing
import Timeline

@testable import Timers

/// What an application may do with timers by plain SQL, and people by the desk.
@Suite struct TimerSchemaTests {
    private func insert(_ scene: Scene, _ columns: String = "", _ values: String = "", every: String = "10s")
        async throws
    {
        try await scene.run(
            "INSERT INTO reconciled.timers (id, every, url\(columns)) VALUES ('t', '\(every)', 'http://x.example/'\(values))"
        )
    }

    private func isTrue(_ scene: Scene, _ condition: String) async throws -> Bool {
        try await scene.value(condition) == "true"
    }

    // MARK: inserting

    @Test func theLeastThatAnInsertSaysIsEnough() async throws {
        try await Scene.with { scene in
            try await insert(scene)
            #expect(try await isTrue(scene, "next_check_at = anchor_at + interval '10 s'"))
            #expect(try await scene.value("method") == "GET")
            #expect(try await scene.value("lane") == "timers")
            try await scene.run("UPDATE reconciled.timers SET id = 'other'")
            try await insert(scene, ", body", ", 'x'")
            #expect(try await scene.value("method") == "POST")
        }
    }

    @Test(arguments: [
        ("now() + interval '1 hour'", "next_check_at = anchor_at"),
        ("now() - interval '25 s'", "next_check_at = anchor_at + interval '30 s'"),
        ("'1970-01-01T00:00:03Z'", "extract(epoch FROM next_check_at)::numeric % 10 = 3 AND next_check_at > now()"),
    ])
    func theFirstRunIsAtTheAnchorOrAtTheGridsNextInstant(anchor: String, condition: String) async throws {
        try await Scene.with { scene in
            try await insert(scene, ", anchor_at", ", \(anchor)")
            #expect(try await isTrue(scene, condition))
        }
    }

    @Test(arguments: [
        (", next_check_at", ", '2031-01-01T00:00:00Z'", "next_check_at = '2031-01-01T00:00:00Z'"),
        (", next_check_at", ", NULL", "next_check_at IS NULL"),
        (", status", ", 'paused'", "next_check_at IS NULL"),
        (", status, next_check_at", ", 'paused', 'infinity'", "next_check_at = 'infinity'"),
    ])
    func whatTheApplicationSchedulesStays(columns: String, values: String, condition: String) async throws {
        try await Scene.with { scene in
            try await insert(scene, columns, values)
            #expect(try await isTrue(scene, condition))
        }
    }

    @Test(arguments: [
        ("every", "'0s'"), ("every", "'-1s'"), ("every", "'9ms'"), ("every", "'1 month'"), ("every", "'1 year'"),
        ("every", "'1 month -29 days'"), ("every", "'40000 days'"), ("anchor_at", "'infinity'"),
        ("anchor_at", "'1969-12-31T23:59:59Z'"), ("url", "'ftp://x/'"), ("url", "'http://'"), ("method", "'get'"),
        ("headers", "'[]'"), ("headers", "'{\"a\": 1}'"), ("headers", "'{\"a\": null}'"), ("catch_up", "'some'"),
        ("max_runs", "0"), ("status", "'done'"), ("timeout", "'0s'"), ("expect_status", "199"), ("lane", "''"),
    ])
    func whatNoTimerMayBeIsRefused(column: String, value: String) async throws {
        try await Scene.with { scene in
            try await insert(scene)
            let error = await #expect(throws: PostgresError.self) {
                try await scene.run("UPDATE reconciled.timers SET \(column) = \(value)")
            }
            #expect(error?.sqlState == "23514", "\(String(describing: error))")
        }
    }

    // MARK: updating

    @Test func anotherIntervalOrAnchorIsAnotherGrid() async throws {
        try await Scene.with { scene in
            try await insert(scene)
            try await scene.run("UPDATE reconciled.timers SET every = '1h', progress = '{\"instant\": \"x\"}'")
            #expect(try await isTrue(scene, "next_check_at = anchor_at + interval '1 h' AND progress IS NULL"))
            try await scene.run("UPDATE reconciled.timers SET anchor_at = anchor_at - interval '20 m'")
            #expect(try await isTrue(scene, "next_check_at = anchor_at + interval '1 h'"))
            try await scene.run("UPDATE reconciled.timers SET every = '2h', next_check_at = '2031-01-01T00:00:00Z'")
            #expect(try await isTrue(scene, "next_check_at = '2031-01-01T00:00:00Z'"))
            try await scene.run("UPDATE reconciled.timers SET every = every, anchor_at = anchor_at, url = 'http://y/'")
            #expect(try await isTrue(scene, "next_check_at = '2031-01-01T00:00:00Z'"))
        }
    }

    @Test func aRunThatIsOverdueStaysDueUnlessItIsUnderWay() async throws {
        try await Scene.with { scene in
            try await insert(scene)
            try await scene.run("UPDATE reconciled.timers SET next_check_at = now() - interval '1 s'")
            try await scene.run("UPDATE reconciled.timers SET every = '1h'")
            #expect(try await isTrue(scene, "next_check_at < now()"))
            try await scene.run(
                "UPDATE reconciled.timers SET lease_token = 1, leased_by = 'p', lease_expires_at = now() + interval '1 m'"
            )
            try await scene.run("UPDATE reconciled.timers SET every = '2h'")
            #expect(try await isTrue(scene, "next_check_at = anchor_at + interval '2 h'"))
        }
    }

    @Test func pausingPutsToRestAndResumingIsOnTheGrid() async throws {
        try await Scene.with { scene in
            try await insert(scene, ", anchor_at", ", now() - interval '25 s'")
            for status in ["paused", "finished"] {
                try await scene.run(
                    "UPDATE reconciled.timers SET progress = '{\"instant\": \"2026-01-01T00:00:00Z\"}', run_count = 7")
                try await scene.run("UPDATE reconciled.timers SET status = '\(status)'")
                #expect(try await isTrue(scene, "next_check_at IS NULL"))
                try await scene.run("UPDATE reconciled.timers SET status = 'active'")
                #expect(try await isTrue(scene, "next_check_at = anchor_at + interval '30 s' AND progress IS NULL"))
                // A finished timer begins anew, or it would finish again at once.
                #expect(try await scene.value("run_count") == (status == "finished" ? "0" : "7"))
            }
            try await scene.run(
                "UPDATE reconciled.timers SET status = 'paused', next_check_at = '2031-01-01T00:00:00Z'")
            #expect(try await isTrue(scene, "next_check_at = '2031-01-01T00:00:00Z'"))
        }
    }

    @Test(arguments: Timer.CatchUp.allCases)
    func aNudgeOfAnOverdueTimerLosesNoInstant(catchUp: Timer.CatchUp) async throws {
        try await Scene.with { scene in
            try await insert(scene, ", catch_up", ", '\(catchUp.rawValue)'")
            try await scene.run("UPDATE reconciled.timers SET next_check_at = '2026-01-01T00:00:00Z'")
            try await scene.run("UPDATE reconciled.timers SET next_check_at = now()")
            let instant = TimerProgress(json: try await scene.value("progress")).instant
            #expect(instant == (catchUp == .skip ? nil : Timestamp("2026-01-01T00:00:00Z")))
            #expect(try await isTrue(scene, "next_check_at > '2026-01-01T00:00:00Z'"))
        }
    }

    // MARK: the desk

    @Test func theDeskAddsShowsAndDecides() async throws {
        try await Scene.with { scene in
            let desk = WatchDesk<TimerTable>(pool: scene.database.pool, actor: "ann")
            let object = """
                {"id": "t", "every": "1m30s", "url": "http://x/", "timeout": "250ms",
                 "headers": {"Authorization": "Bearer s3cret", "Accept": "text/plain"}, "body": "{}"}
                """
            #expect(try await desk.add("[\(object)]").map(\.outcome) == [.added])
            #expect(try await desk.add("[\(object)]").map(\.outcome) == [.exists])
            let other = object.replacing("1m30s", with: "1m31s")
            #expect(try await desk.add("[\(other)]").map(\.outcome) == [.differs])
            #expect(try await isTrue(scene, "next_check_at = anchor_at + interval '90 s' AND method = 'POST'"))

            let shown = try #require(try await desk.show("t"))
            #expect(shown.contains(#""every": "1m30s""#) && shown.contains(#""timeout": "250ms""#))
            #expect(shown.contains("text/plain") && !shown.contains("s3cret"))
            #expect(try await desk.rows(RowFilter(), limit: 10).rows == [shown])

            _ = try await desk.resolve("t", status: "paused", note: "holiday", .init())
            #expect(try await isTrue(scene, "status = 'paused' AND next_check_at IS NULL"))
            let resumed = try #require(try await desk.resolve("t", status: "active", note: "back", .init()))
            #expect(resumed.contains(#""every": "1m30s""#))
            #expect(try await isTrue(scene, "status = 'active' AND next_check_at = anchor_at + interval '90 s'"))
            try await scene.run("UPDATE reconciled.timers SET next_check_at = NULL")
            #expect(
                try await WatchOverview<TimerTable>(pool: scene.database.pool).audit(lanes: ["timers"]).map(\.kind)
                    == ["adrift"])
            // Resuming an active timer that is adrift puts it on its grid.
            _ = try await desk.resolve("t", status: "active", note: "again", .init())
            #expect(try await isTrue(scene, "next_check_at = anchor_at + interval '90 s'"))

            #expect(try await desk.nudge(["t", "none"]) == ["t"])
            #expect(try await isTrue(scene, "next_check_at <= now()"))
            #expect(try await desk.remove("t"))
            #expect(try await desk.show("t") == nil)
            let reasons = try await scene.text(
                "SELECT string_agg(reason, ',' ORDER BY id) FROM reconciled.history WHERE actor = 'ann'")
            #expect(reasons == "ADDED,RESOLVED,RESOLVED,RESOLVED,NUDGED,REMOVED")
        }
    }

    @Test(arguments: ["10ms", "250ms", "1s", "1m30s", "24h", "7d", "1d2h3m4s5ms", "36500d"])
    func durationsReadBackAsTheyAreWritten(text: String) async throws {
        try await Scene.with { scene in
            try await insert(scene, every: text)
            let duration = try #require(Duration(text: text))
            let shown = try await scene.text("SELECT reconciled.duration_text(every) FROM reconciled.timers")
            #expect(shown == duration.text)
            #expect(try await isTrue(scene, "extract(epoch FROM every) * 1000000 = \(duration.wholeMicroseconds)"))
        }
    }
}
