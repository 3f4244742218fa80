import Outgoing
import PostgresStore
import Reconciling
import TestSupport
import Testing
import Timeline

@testable import Timers

/// Timers with real calls, pollers and a database.
@Suite struct TimerRunTests {
    private func insert(
        _ scene: Scene, _ id: String = "t", every: String = "100ms", _ members: [String: String] = [:]
    ) async throws {
        let names = members.keys.sorted()
        try await scene.run(
            """
            INSERT INTO reconciled.timers (id, every, url\(names.map { ", \($0)" }.joined()))
            VALUES ('\(id)', '\(every)', '\(scene.sink.url)/\(id)'\(names.map { ", \(members[$0] ?? "NULL")" }.joined()))
            """)
    }

    private func instants(_ scene: Scene, _ id: String = "t") -> [Timestamp] {
        scene.sink.calls(to: "/\(id)").compactMap { call in
            call.key.flatMap { Timestamp(String($0.dropFirst(id.count + 1))) }
        }
    }

    private func anchor(_ scene: Scene, _ id: String = "t") async throws -> Timestamp {
        try #require(try await scene.timestamp("anchor_at", of: id))
    }

    // MARK: the grid

    @Test func aTimerFiresOnItsGridAndSaysForWhichInstant() async throws {
        try await Scene.with { scene in
            try await insert(scene)
            try await scene.withPoller {
                try await eventually("ten calls") { scene.sink.calls(to: "/t").count >= 10 }
            }
            let grid = TimerGrid(anchor: try await anchor(scene), every: .milliseconds(100))
            let instants = instants(scene)
            #expect(instants.count == scene.sink.calls.count)
            #expect(instants.allSatisfy(grid.contains))
            #expect(instants.first == grid.anchor + .milliseconds(100))
            #expect(zip(instants, instants.dropFirst()).allSatisfy { $0 < $1 })
            #expect(try await scene.value("last_verdict") == "settled")
            #expect(try await scene.value("last_status_code") == "200")
            #expect(try await scene.value("run_count = check_count") == "true")
            #expect(try await scene.value("next_check_at > last_checked_at - interval '1 s'") == "true")
        }
    }

    @Test func theCallIsTheOneThatTheRowDescribes() async throws {
        try await Scene.with { scene in
            try await insert(
                scene, "ü n%", every: "1h",
                [
                    "method": "'PUT'", "headers": #"'{"X-Key": "a b", "Content-Type": "text/x"}'"#, "body": "'hé'",
                    "url": "NULL",
                ].filter { $0.key != "url" })
            try await scene.run(
                "UPDATE reconciled.timers SET url = '\(scene.sink.url)/put?a=b', next_check_at = '2026-01-01T00:00:00.5Z'"
            )
            try await insert(scene, "json", every: "1h", ["body": "'{}'", "next_check_at": "'2026-01-01T00:00:00Z'"])
            try await scene.withPoller {
                try await eventually("both calls") { scene.sink.calls.count >= 2 }
            }
            let put = try #require(scene.sink.calls(to: "/put").first)
            #expect(put.method == "PUT" && put.body == "hé")
            #expect(put.headers["x-key"] == "a b" && put.headers["content-type"] == "text/x")
            #expect(put.key == "%C3%BC%20n%25/2026-01-01T00:00:00.500Z")
            let json = try #require(scene.sink.calls(to: "/json").first)
            #expect(json.method == "POST" && json.headers["content-type"] == "application/json")
            #expect(json.key == "json/2026-01-01T00:00:00Z")
        }
    }

    @Test func aNudgeRunsNowAndLeavesTheGridAlone() async throws {
        try await Scene.with { scene in
            try await insert(scene, every: "1h")
            try await scene.run("UPDATE reconciled.timers SET next_check_at = now()")
            let nudgedAt = try await scene.timestamp("next_check_at")
            try await scene.withPoller {
                try await eventually("the run") { try await scene.value("run_count") == "1" }
            }
            #expect(instants(scene) == [nudgedAt])
            #expect(try await scene.value("next_check_at = anchor_at + interval '1 h'") == "true")
            #expect(try await scene.value("progress IS NULL") == "true")
        }
    }

    @Test func aCheckByHandDoesNotUseUpTheGridsInstant() async throws {
        try await Scene.with { scene in
            try await insert(scene, every: "1h")
            let dry = try await scene.check(isDryRun: true)
            #expect(dry.conclusion.answer?.contains("\(scene.sink.url)/t") == true)
            #expect(scene.sink.calls.isEmpty)
            let check = try await scene.check()
            #expect(check.conclusion.verdict == .settled)
            guard case .written("active", .some, _)? = check.outcome else {
                Issue.record("\(check)")
                return
            }
            #expect(try await scene.value("next_check_at = anchor_at + interval '1 h' AND run_count = 1") == "true")
            try await scene.run("UPDATE reconciled.timers SET status = 'paused'")
            _ = try await scene.check()
            #expect(scene.sink.calls.count == 1)
            #expect(try await scene.value("status = 'paused' AND next_check_at IS NULL") == "true")
        }
    }

    // MARK: late and lost

    @Test(arguments: [
        (Timer.CatchUp.skip, [0]), (.once, [0, 3]), (.all, [0, 1, 2, 3]),
    ])
    func whatWasMissedIsMadeUpForAsAsked(catchUp: Timer.CatchUp, missed: [Int]) async throws {
        try await Scene.with { scene in
            // The instant 0 is due since three and a half intervals.
            try await insert(
                scene, every: "1h",
                [
                    "catch_up": "'\(catchUp.rawValue)'", "anchor_at": "now() - interval '210 min'",
                    "next_check_at": "now() - interval '210 min'",
                ])
            try await scene.withPoller {
                try await eventually("the runs") { try await scene.value("next_check_at > now()") == "true" }
            }
            let anchor = try await anchor(scene)
            #expect(instants(scene) == missed.map { anchor + .seconds(3_600 * $0) })
            #expect(try await scene.value("next_check_at = anchor_at + interval '4 h'") == "true")
            #expect(try await scene.value("run_count") == "\(missed.count)")
            #expect(try await scene.value("progress IS NULL") == "true")
        }
    }

    @Test func whatIsLeftOutOfTooManyMissedRunsIsOnRecord() async throws {
        try await Scene.with { scene in
            try await insert(
                scene, every: "1s",
                [
                    "catch_up": "'all'", "anchor_at": "now() - interval '5000 s'",
                    "next_check_at": "now() - interval '5000 s'",
                ])
            _ = try await scene.check()
            #expect(try await scene.value("last_error")?.contains("missed runs are left out") == true)
            let reason = try await scene.text("SELECT reason FROM reconciled.history WHERE row_id = 't'")
            #expect(reason == "MISSED_RUNS_LEFT_OUT")
            let kept = try #require(TimerProgress(json: try await scene.value("progress")).instant)
            let behind = try await scene.text("SELECT extract(epoch FROM now())::bigint::text")
            let age = Int64(behind ?? "")! - kept.microseconds / 1_000_000
            #expect((995...1_005).contains(age), "\(age)")
        }
    }

    @Test func whoeverTakesOverFromADeadPollerRepeatsTheRunUnderItsKey() async throws {
        try await Scene.with { scene in
            try await insert(
                scene, every: "1h",
                ["anchor_at": "now() - interval '1 s'", "next_check_at": "now() - interval '1 s'"])
            let dueAt = try await scene.timestamp("next_check_at")
            scene.sink.setLatency(.seconds(600))
            // It dies in the middle of the call, and nothing of it is written: kill -9.
            let claimed = await scene.store("dead").exchange(
                Exchange(
                    settlements: [],
                    claim: ClaimRequest(
                        lease: .milliseconds(500), quotas: [LaneQuota(lane: "timers", count: 1, includesSuspects: true)]
                    )))
            let claim = try #require(try claimed.claimed?.get().claims.first)
            let caller = TimerCaller(targets: .everywhere, http: scene.http, publicHTTP: scene.publicHTTP)
            _ = await caller.call(claim.row, instant: try #require(claim.dueAt), deadline: .now + .milliseconds(50))
            #expect(scene.sink.calls.count == 1)
            scene.sink.setLatency(.zero)
            try await scene.withPoller("heir") {
                try await eventually("the run") { try await scene.value("run_count") == "1" }
            }
            #expect(instants(scene) == [dueAt, dueAt])
            #expect(try await scene.value("next_check_at = anchor_at + interval '1 h'") == "true")
        }
    }

    @Test func aTimerNeverRunsTwiceAtOnce() async throws {
        try await Scene.with { scene in
            scene.sink.setLatency(.milliseconds(70))
            for id in 0..<5 { try await insert(scene, "t\(id)", every: "20ms") }
            try await scene.withPoller("p1") {
                try await scene.withPoller("p2") {
                    try await eventually("calls") { scene.sink.calls.count >= 60 }
                }
            }
            #expect(scene.sink.underWayMax == 1)
            for id in 0..<5 {
                let instants = instants(scene, "t\(id)")
                #expect(Set(instants).count == instants.count, "t\(id)")
            }
        }
    }

    // MARK: the end

    @Test func aTimerEndsAfterItsRunsAndAfterItsEnd() async throws {
        try await Scene.with { scene in
            try await insert(scene, "runs", every: "20ms", ["max_runs": "3"])
            try await insert(scene, "ends", every: "20ms", ["ends_at": "now() + interval '50 ms'"])
            try await insert(
                scene, "over", every: "1h", ["ends_at": "now() - interval '1 s'", "next_check_at": "now()"])
            try await scene.withPoller {
                try await eventually("the end") {
                    try await scene.text("SELECT count(*)::text FROM reconciled.timers WHERE status = 'finished'")
                        == "3"
                }
            }
            #expect(scene.sink.calls(to: "/runs").count == 3)
            #expect(try await scene.value("run_count = 3 AND next_check_at IS NULL", of: "runs") == "true")
            let end = try #require(try await scene.timestamp("ends_at", of: "ends"))
            #expect((1...2).contains(instants(scene, "ends").count))
            #expect(instants(scene, "ends").allSatisfy { $0 <= end })
            #expect(scene.sink.calls(to: "/over").isEmpty)
            let reasons = try await scene.text(
                "SELECT string_agg(row_id || ' ' || reason, ',' ORDER BY row_id) FROM reconciled.history")
            #expect(reasons == "ends ENDED,over ENDED,runs MAX_RUNS")
        }
    }

    // MARK: failures

    @Test func aFailedCallIsRecordedAndTriedAgainForItsInstant() async throws {
        try await Scene.with { scene in
            scene.sink.answer("/t", 503)
            try await insert(scene, every: "1h", ["next_check_at": "now()"])
            let dueAt = try #require(try await scene.timestamp("next_check_at"))
            try await scene.withPoller {
                try await eventually("two failures") { scene.sink.calls.count >= 2 }
                try await eventually("a record") { try await scene.value("failure_count >= 2") == "true" }
                #expect(try await scene.value("last_verdict") == "failed")
                #expect(try await scene.value("last_status_code") == "503")
                #expect(try await scene.value("last_error") == "The target answered 503 instead of 2xx.")
                #expect(try await scene.value("run_count") == "0")
                scene.sink.answer("/t", 204)
                try await scene.run("UPDATE reconciled.timers SET next_check_at = now()")
                try await eventually("success") { try await scene.value("run_count") == "1" }
            }
            #expect(instants(scene).allSatisfy { $0 == dueAt })
            #expect(
                try await scene.value(
                    "failure_count = 0 AND last_error IS NULL AND next_check_at = anchor_at + interval '1 h'") == "true"
            )
        }
    }

    @Test func anotherStatusCanBeExpected() async throws {
        try await Scene.with { scene in
            scene.sink.answer("/t", 404)
            try await insert(scene, every: "1h", ["expect_status": "404"])
            #expect(try await scene.check().conclusion.verdict == .settled)
            scene.sink.answer("/t", 200)
            #expect(try await scene.check().conclusion.verdict == .failed)
            #expect(try await scene.value("last_error") == "The target answered 200 instead of 404.")
        }
    }

    @Test func oneTargetsOutageStopsNoOtherTimerOfItsLane() async throws {
        try await Scene.with { scene in
            scene.sink.answer("/bad", 503)
            scene.sink.setRetryAfter(600)
            for id in ["bad", "good"] { try await insert(scene, id, every: "50ms") }
            // Nothing listens there.
            try await insert(scene, "dead", every: "50ms")
            try await scene.run("UPDATE reconciled.timers SET url = 'http://127.0.0.1:1/' WHERE id = 'dead'")
            try await scene.withPoller {
                try await eventually("the other's calls") { scene.sink.calls(to: "/good").count >= 20 }
            }
            // Asked to wait, it waits; its lane does not.
            #expect(scene.sink.calls(to: "/bad").count == 1)
            #expect(try await scene.value("next_check_at > now() + interval '590 s'", of: "bad") == "true")
            #expect(
                try await scene.value("last_error", of: "dead")?.hasPrefix("The connection to the target failed")
                    == true)
            #expect(try await scene.value("run_count > 1 AND failure_count > 1", of: "dead") == "true")
            #expect(
                try await scene.text(
                    "SELECT (paused_at IS NULL AND hold_until IS NULL)::text FROM reconciled.lanes WHERE name = 'timers'"
                )
                    == "true")
        }
    }

    @Test func aCallHasItsTimersDeadline() async throws {
        try await Scene.with { scene in
            scene.sink.setLatency(.seconds(600))
            try await insert(scene, every: "1h", ["timeout": "'50ms'"])
            let begun = ContinuousClock.now
            let check = try await scene.check()
            #expect(ContinuousClock.now - begun < .seconds(3))
            #expect(check.conclusion.error == "The target did not answer in time.")
            #expect(check.conclusion.laneSignal == .silent)
            #expect(try await scene.value("last_status_code IS NULL AND failure_count = 1") == "true")
        }
    }

    @Test func whatTheEngineConcludesInOurPlaceKeepsTheInstant() async throws {
        try await Scene.with { scene in
            try await insert(scene, every: "1h", ["next_check_at": "now()"])
            let claimed = await scene.store().exchange(
                Exchange(
                    settlements: [],
                    claim: ClaimRequest(
                        lease: .seconds(60), quotas: [LaneQuota(lane: "timers", count: 1, includesSuspects: true)])))
            let claim = try #require(try claimed.claimed?.get().claims.first)
            let settlement = Settlement<String, TimerChange>(
                held: HeldLease(id: "t", lane: "timers", lease: claim.lease), statusBefore: "active",
                dueAt: claim.dueAt,
                verdict: .failed, delay: .seconds(1), failureCount: 1, error: "timed out after 5s")
            _ = try await scene.store().exchange(Exchange(settlements: [settlement], claim: nil)).settled.get()
            #expect(TimerProgress(json: try await scene.value("progress")).instant == claim.dueAt)
        }
    }

    // MARK: meanwhile

    @Test func aTimerThatIsPausedDuringItsCallStaysAtRest() async throws {
        try await Scene.with { scene in
            scene.sink.setLatency(.milliseconds(200))
            try await insert(scene, every: "1h", ["next_check_at": "now()"])
            try await scene.withPoller {
                try await eventually("the call") { scene.sink.calls.count == 1 }
                try await scene.run("UPDATE reconciled.timers SET status = 'paused'")
                try await eventually("the settle") { try await scene.value("last_verdict") == "overtaken" }
            }
            #expect(try await scene.value("status = 'paused' AND next_check_at IS NULL AND run_count = 1") == "true")
        }
    }

    @Test func aNewIntervalDuringACallIsTheNextOne() async throws {
        try await Scene.with { scene in
            scene.sink.setLatency(.milliseconds(200))
            scene.sink.answer("/t", 500)
            try await insert(scene, every: "1h", ["next_check_at": "now()"])
            try await scene.withPoller {
                try await eventually("the call") { scene.sink.calls.count == 1 }
                try await scene.run("UPDATE reconciled.timers SET every = '2h'")
                try await eventually("the settle") { try await scene.value("check_count") == "1" }
            }
            // Not the old grid, nor the failed run again.
            #expect(try await scene.value("next_check_at = anchor_at + interval '2 h' AND progress IS NULL") == "true")
        }
    }

    @Test func whatIsInReviewIsNotCalled() async throws {
        try await Scene.with { scene in
            try await insert(scene, every: "1h", ["next_check_at": "now()", "claim_count": "5"])
            try await scene.withPoller {
                try await eventually("review") { try await scene.value("status") == "review" }
            }
            #expect(scene.sink.calls.isEmpty)
            #expect(try await scene.value("review_reason = 'POISON' AND next_check_at IS NULL") == "true")
            try await scene.run("UPDATE reconciled.timers SET next_check_at = now()")
            try await scene.withPoller {
                try await eventually("rest") { try await scene.value("next_check_at IS NULL") == "true" }
            }
            #expect(scene.sink.calls.isEmpty)
            #expect(try await scene.value("status = 'review' AND review_reason = 'POISON'") == "true")
        }
    }

    @Test func whereACallMayGoIsHeldToAtTheCallToo() async throws {
        try await Scene.with { scene in
            try await insert(scene, every: "50ms")
            let targets = try #require(TargetPolicy(allowedHosts: ["*"]))
            try await scene.withPoller(targets: targets) {
                try await eventually("refusals") { try await scene.value("failure_count > 1") == "true" }
            }
            #expect(scene.sink.calls.isEmpty)
            #expect(try await scene.value("last_error")?.contains("watches.timers.allowedHosts") == true)
            // A name may lead here, too: the connection tells, before anything is sent.
            let result = await scene.publicHTTP.send(
                OutgoingRequest(url: "\(scene.sink.url)/x"), deadline: .now + .seconds(5))
            guard case .failure(let failure) = result else {
                Issue.record("\(result)")
                return
            }
            #expect(failure == .connection("the host's address is not a public one"))
            #expect(scene.sink.calls.isEmpty)
        }
    }
}
