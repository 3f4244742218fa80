import Foundation
import Postgres
import TestSupport
import Testing

@testable import Console
@testable import PostgresStore
@testable import ReconciledCLI

/// Which lane is ill: `status` and the dashboard say the same of it.
@Suite struct LaneStateTests {
    private static func registered(
        paused: Bool = false, by person: String? = nil, heldFor: Duration? = nil
    ) -> Registry.Lane {
        .init(name: "g", paused: paused, pausedBy: person, pauseReason: "why", pausedAt: nil, heldFor: heldFor)
    }

    @Test func whatAPersonMustKnowFirstIsTold() {
        let late = Duration.seconds(11)
        let paused = LaneState(
            registered: Self.registered(paused: true, heldFor: .seconds(5)), late: late, isConfigured: true)
        #expect(paused == .paused(by: nil, reason: "why"))
        let held = LaneState(registered: Self.registered(heldFor: .seconds(5)), late: late, isConfigured: true)
        #expect(held == .held(.seconds(5)))
        // The end of a hold helps nobody where no configuration names the lane, nor does a resume.
        let removed = LaneState(registered: Self.registered(heldFor: .seconds(5)), late: late, isConfigured: false)
        #expect(removed.text { "\($0)" } == "not configured")
        let itself = LaneState(registered: Self.registered(paused: true), late: late, isConfigured: false)
        #expect(itself.text { "\($0)" } == "not configured")
        let both = LaneState(registered: Self.registered(paused: true, by: "ada"), late: late, isConfigured: false)
        #expect(both.text { "\($0)" } == "not configured; paused by ada: why")
        #expect(
            LaneState(registered: nil, late: late, isConfigured: false) == .unconfigured(pausedBy: nil, reason: nil))
        #expect(LaneState(registered: Self.registered(), late: late, isConfigured: true) == .late(late))
        #expect(LaneState(registered: nil, late: .seconds(10), isConfigured: true) == .runs)
        #expect(!LaneState.runs.isIll && LaneState.late(late).isIll)
    }

    /// An order of a misspelt gateway waits for ever, and one that is late is so in both.
    @Test func bothNameTheLaneThatNobodyConfiguredAndTheOneThatIsLate() async throws {
        try await APIScene.with(yaml: DashboardVisitor.yaml) { scene in
            try await scene.run(
                """
                INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, next_check_at) VALUES
                    ('a', 'trail', 1, 'EUR', now() + interval '1 day'), ('b', 'trial', 1, 'EUR', now() - interval '1 minute')
                """)
            let page = try await DashboardVisitor(scene).get("/").body
            #expect(page.contains("trail is not configured: orders wait there"), "\(page)")
            #expect(page.contains("trial is late: the oldest due order waits for 6"), "\(page)")
            #expect(!page.contains("All is well"))

            let configuration = try Configuration(yaml: DashboardVisitor.yaml, fileName: "r.yaml", environment: [:])
            let report = try await StatusReport(
                Watch.allServed.map { $0.init(configuration) }, pool: scene.pool)
            let lines = report.text(usesColour: false).split(separator: "\n")
            #expect(lines.contains { $0.hasPrefix("trail") && $0.hasSuffix("not configured") }, "\(lines)")
            #expect(lines.contains { $0.hasPrefix("trial") && $0.contains("late by 1m") }, "\(lines)")

            // What waits where nobody looks can be looked at.
            try await scene.run("UPDATE reconciled.orders SET next_check_at = now() WHERE id = 'a'")
            let due = try await DashboardVisitor(scene).get("/orders?status=due").body
            #expect(due.contains(#"href="/orders/a""#), "\(due)")
        }
    }

    /// A webhook that was taken out of the configuration while it had asked to wait.
    @Test func aHoldDoesNotHideThatNobodyConfiguredALane() async throws {
        try await APIScene.with(yaml: DashboardVisitor.yaml) { scene in
            try await scene.run(
                """
                INSERT INTO reconciled.orders (id, gateway, amount_minor, currency) VALUES
                    ('a', 'gone', 1, 'EUR'), ('b', 'trial', 1, 'EUR')
                """)
            try await scene.run(
                """
                INSERT INTO reconciled.lanes (name, hold_until)
                VALUES ('gone', now() + interval '58 minutes'), ('trial', now() + interval '58 minutes')
                ON CONFLICT (name) DO UPDATE SET hold_until = EXCLUDED.hold_until
                """)
            let page = try await DashboardVisitor(scene).get("/").body
            #expect(page.contains("gone is not configured: orders wait there"), "\(page)")
            #expect(page.contains(">not configured</td>"), "\(page)")
            let configuration = try Configuration(yaml: DashboardVisitor.yaml, fileName: "r.yaml", environment: [:])
            let report = try await StatusReport(Watch.allServed.map { $0.init(configuration) }, pool: scene.pool)
            let lines = report.text(usesColour: false).split(separator: "\n")
            #expect(lines.contains { $0.hasPrefix("gone") && $0.hasSuffix("not configured") }, "\(lines)")
            #expect(lines.contains { $0.hasPrefix("trial") && $0.contains("asked to wait for 57m") }, "\(lines)")
        }
    }

    /// Gateways have asked for an hour by mistake.
    @Test func aPersonEndsAHold() async throws {
        try await APIScene.with(yaml: DashboardVisitor.yaml) { scene in
            try await scene.run(
                """
                INSERT INTO reconciled.lanes (name, hold_until) VALUES ('trial', now() + interval '58 minutes')
                ON CONFLICT (name) DO UPDATE SET hold_until = EXCLUDED.hold_until
                """)
            #expect(try await DashboardVisitor(scene).get("/").body.contains("Ask again now"))
            let registry = Registry(pool: scene.pool)
            #expect(try await registry.resume(lane: "trial", by: "ann"))
            #expect(try await !registry.resume(lane: "trial", by: "ann"))
            #expect(try await !DashboardVisitor(scene).get("/").body.contains("Ask again now"))
            let history = try await registry.history(lane: "trial", limit: 10)
            #expect(history.last?.contains(#""status_before": "held""#) == true, "\(history)")
        }
    }

    /// Lanes are counted each to a bound: their sum is exact until one of them reaches it.
    @Test func theSumOfWhatIsDueIsMarkedOnlyWhereItIsNotWhole() async throws {
        try await APIScene.with(
            yaml: "gateways: { a: { kind: fixed, state: PAID }, b: { kind: fixed, state: PAID } }"
        ) { scene in
            func tile() async throws -> String {
                let page = try await DashboardVisitor(scene).get("/").body
                return page.firstMatch(of: /<span class="value">([^<]*)<\/span> <span class="label">due now/)
                    .map { String($0.1) } ?? page
            }
            try await scene.run(
                """
                INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, next_check_at)
                SELECT g || n, g, 1, 'EUR', now() FROM generate_series(1, 6000) AS n, unnest('{a,b}'::text[]) AS g
                """)
            #expect(try await tile() == "12,000")
            try await scene.run(
                """
                INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, next_check_at)
                SELECT 'more' || n, 'a', 1, 'EUR', now() FROM generate_series(1, 4001) AS n
                """)
            #expect(try await tile() == "16,000+")
        }
    }
}
