import Foundation
import JSON
import TestSupport
import Testing

@testable import ReconciledCLI

/// The real binary on timers.
@Suite struct TimerCommandTests {
    private static func run(
        _ database: TestDatabase, _ arguments: [String], input: String = "", hosts: String? = nil
    ) async throws -> Reconciled.Result {
        var environment = ["RECONCILED_DATABASE_URL": database.url]
        environment["RECONCILED_WATCHES_TIMERS_ALLOWED_HOSTS"] = hosts
        return try await Reconciled.run(arguments, environment: environment, input: input)
    }

    @Test func timersComeAndGoById() async throws {
        try await withTestDatabase { database in
            let timer = #"{"id": "t/1", "every": "1h", "url": "http://127.0.0.1:1/tick", "max_runs": null}"#
            for outcome in ["added", "exists"] {
                let added = try await Self.run(database, ["add", "timers", "--json", "-"], input: timer)
                #expect(added.output == #"[{"id":"t/1","outcome":"\#(outcome)"}]"# + "\n", "\(added.errors)")
            }
            let other = timer.replacingOccurrences(of: "1h", with: "2h")
            let differs = try await Self.run(database, ["add", "timers", "--json", "-"], input: other)
            #expect(differs.code == 1 && differs.output.contains("differs"), "\(differs.errors)")
            let shown = try await Self.run(database, ["show", "timers", "t/1", "--json"])
            #expect(shown.output.contains("\"every\": \"1h\""), "\(shown.output)")
            #expect(try await Self.run(database, ["remove", "timers", "t/1"]).code == 0)
            let gone = try await Self.run(database, ["remove", "timers", "t/1"])
            #expect(gone.code == 1 && gone.errors.contains("there is no timer \"t/1\""), "\(gone.errors)")
        }
    }

    @Test func aLaneOfAnotherWatchIsRefused() async throws {
        try await withTestDatabase { database in
            let timer = #"{"id": "t", "every": "1h", "url": "http://127.0.0.1:1/tick", "lane": "trial"}"#
            let known = [
                "RECONCILED_DATABASE_URL": database.url, "RECONCILED_GATEWAYS_TRIAL_KIND": "fixed",
                "RECONCILED_GATEWAYS_TRIAL_STATE": "PAID",
            ]
            let words = ["add", "timers", "--json", "-"]
            let refused = try await Reconciled.run(words, environment: known, input: timer)
            #expect(refused.code == 1)
            #expect(
                refused.errors
                    == "reconciled: lane names a gateway, where this would wait for ever; "
                    + "allowed: timers, or a lane that another process has\n")
            // Where nothing of that name is configured another process may have it.
            #expect(try await Self.run(database, words, input: timer).code == 0)
        }
    }

    /// What would never be called is refused when it is added, and not only at each of its calls.
    @Test func onlyHostsThatMayBeCalledAreTaken() async throws {
        try await withTestDatabase { database in
            for (url, isTaken) in [("https://shop.example/tick", true), ("http://169.254.169.254/latest", false)] {
                let timer = #"{"id": "\#(url)", "every": "1h", "url": "\#(url)"}"#
                let added = try await Self.run(
                    database, ["add", "timers", "--json", "-"], input: timer, hosts: "shop.example")
                #expect((added.code == 0) == isTaken, "\(added.errors)")
                if !isTaken { #expect(added.errors.contains("url names a host that timers may not call")) }
            }
        }
    }
}
