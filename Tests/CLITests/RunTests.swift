import AsyncHTTPClient
import Foundation
import Glibc
import NIOCore
import Postgres
import TestSupport
import Testing

@testable import ReconciledCLI

@Suite struct RunTests {
    private static func get(_ port: Int, _ path: String) async throws -> (status: UInt, body: String) {
        let request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
        return (response.status.code, String(buffer: try await response.body.collect(upTo: 1 << 22)))
    }

    private static func write(_ text: String, to directory: URL) throws -> String {
        let file = directory.appending(path: "reconciled.yaml")
        try text.write(to: file, atomically: true, encoding: .utf8)
        return file.path
    }

    /// Adds an order that has long been due.
    private static func add(_ id: String, _ gateway: String, config file: String) async throws {
        let order = """
            {"id": "\(id)", "gateway": "\(gateway)", "amount_minor": 1, "currency": "EUR",
             "next_check_at": "2020-01-01T00:00:00Z"}
            """
        let added = try await Reconciled.run(["add", "orders", "--json", "-", "--config", file], input: order)
        #expect(added.code == 0, "\(added.errors)")
    }

    private static func value(_ expression: String, _ id: String, in database: TestDatabase) async throws -> String? {
        let sql = "SELECT (\(expression))::text FROM reconciled.orders WHERE id = $1"
        let query = PostgresQuery(Statement(name: "", text: sql), [.text(id)])
        return try await database.pool.query(query) { rows in
            try rows.first { row in try row.readOptional(String.self) } ?? nil
        }
    }

    @Test func pollsServesMetricsAndStopsOnSigterm() async throws {
        try await withTestDatabase { database in
            try await withDirectory { directory in
                let file = try Self.write(
                    """
                    database: { url: "\(database.url)" }
                    http: { port: 0 }
                    gateways: { trial: { kind: fixed, state: PAID } }
                    """, to: directory)
                let run = try LongRunning(["--config", file], directory: directory)
                let port = try await run.port()
                try await eventually("it is ready: \(run.output)") { try await Self.get(port, "/readyz").status == 200 }
                let order =
                    #"{"id": "a", "gateway": "trial", "amount_minor": 1, "currency": "EUR", "next_check_at": "2020-01-01T00:00:00Z"}"#
                let added = try await Reconciled.run(["add", "orders", "--json", "-", "--config", file], input: order)
                #expect(added.code == 0, "\(added.errors)")
                let line = "reconciled_checks_total{lane=\"trial\",verdict=\"settled\",watch=\"orders\"} 1\n"
                try await eventually("the check is counted") {
                    try await Self.get(port, "/metrics").body.contains(line)
                }
                let metrics = try await Self.get(port, "/metrics").body
                for name in [
                    "reconciled_lateness_seconds_count", "reconciled_lane_paused", "reconciled_clock_skew_seconds",
                ] {
                    #expect(metrics.contains(name), "\(name) is missing")
                }
                let shown = try await Reconciled.run(["show", "orders", "a", "--json", "--config", file])
                #expect(shown.output.contains("\"status\": \"paid\""), "\(shown.output)")
                #expect(try await run.stop() == 0, "\(run.output)")
            }
        }
    }

    @Test func anUnreachableDatabaseIsWaitedForWhileProbesAnswer() async throws {
        try await withDirectory { directory in
            let file = try Self.write(
                "database: { url: \"postgres://bob:s3cret@127.0.0.1:1/d\" }\nhttp: { port: 0 }", to: directory)
            let run = try LongRunning(["--config", file], directory: directory)
            let port = try await run.port()
            try await run.says("the database cannot be reached; trying again")
            #expect(try await Self.get(port, "/healthz").status == 200)
            let ready = try await Self.get(port, "/readyz")
            #expect(ready.status == 503 && ready.body.contains("database_unreachable"), "\(ready.body)")
            #expect(!run.output.contains("s3cret") && !ready.body.contains("s3cret"))
            #expect(try await run.stop() == 0, "\(run.output)")
        }
    }

    /// As when a test fails before it stops its child.
    @Test func aRunEndsWithTheTestThatStartedIt() async throws {
        try await withDirectory { directory in
            let file = try Self.write(
                "database: { url: \"postgres://127.0.0.1:1/d\" }\nhttp: { port: 0 }", to: directory)
            func begin() async throws -> pid_t {
                let run = try LongRunning(["--config", file], directory: directory)
                _ = try await run.port()
                return run.process.processID
            }
            let process = try await begin()
            let isGone = kill(process, 0) == -1 && errno == ESRCH
            #expect(isGone)
        }
    }

    @Test func sighupReloadsAndKeepsTheOldConfigurationWhenTheNewOneIsWrong() async throws {
        try await withTestDatabase { database in
            try await withDirectory { directory in
                let base = "database: { url: \"\(database.url)\" }\nhttp: { port: 0 }\n"
                let file = try Self.write(base + "gateways: { one: { kind: fixed, state: PAID } }", to: directory)
                let run = try LongRunning(["--config", file], directory: directory)
                try await run.says("\"lanes\":\"one\"")
                _ = try Self.write(base + "gateways: { one: { kind: fixt } }", to: directory)
                run.send(SIGHUP)
                try await run.says("the new configuration is wrong; the old one stays")
                // As it is for a moment while it is written.
                _ = try Self.write("\n", to: directory)
                run.send(SIGHUP)
                try await run.says("the file is empty")
                _ = try Self.write(
                    base + "gateways: { one: { kind: fixed, state: PAID }, two: { kind: fixed, state: PAID } }",
                    to: directory)
                run.send(SIGHUP)
                try await run.says("\"lanes\":\"one,two\"")
                #expect(try await run.stop(SIGINT) == 0, "\(run.output)")
            }
        }
    }

    /// A gateway takes its time over an order: the new configuration does not wait for it, and it is not asked again.
    @Test func aReloadFinishesWhatIsUnderCheckBesideTheNewConfiguration() async throws {
        try await withTestDatabase { database in
            try await withDirectory { directory in
                let base = "database: { url: \"\(database.url)\" }\nhttp: { port: 0 }\n"
                // Longer than a busy machine takes for all that is looked at meanwhile, and within the grace.
                let slow = "slow: { kind: fixed, state: PAID, delay: 25s, timeout: 60s }"
                let gateways = "quick: { kind: fixed, state: PAID }, \(slow)"
                let file = try Self.write(base + "gateways: { \(gateways) }", to: directory)
                func add(_ id: String, _ gateway: String) async throws {
                    try await Self.add(id, gateway, config: file)
                }
                func value(_ expression: String, _ id: String) async throws -> String? {
                    try await Self.value(expression, id, in: database)
                }
                func settled(_ lane: String) -> String {
                    "reconciled_checks_total{lane=\"\(lane)\",verdict=\"settled\",watch=\"orders\"} 1\n"
                }
                let run = try LongRunning(["--config", file], directory: directory)
                func served(_ times: Int) async throws {
                    try await eventually("HTTP is served for time \(times)") {
                        run.output.components(separatedBy: "HTTP is served").count == times + 1
                    }
                }
                let port = try await run.port()
                try await add("a", "quick")
                try await eventually("it is counted") {
                    try await Self.get(port, "/metrics").body.contains(settled("quick"))
                }
                try await add("b", "slow")
                try await eventually("it is under check") { try await value("leased_by IS NOT NULL", "b") == "true" }
                let holder = try await value("leased_by", "b")

                let more = gateways + ", third: { kind: fixed, state: PAID }"
                _ = try Self.write(base + "gateways: { \(more) }", to: directory)
                run.send(SIGHUP)
                try await served(2)
                try await run.says("\"lanes\":\"quick,slow,third\"")
                try await add("c", "third")
                try await eventually("the new lane's order is paid") { try await value("status", "c") == "paid" }
                // On the port that it had, with what was counted before, and the checks of both.
                try await eventually("the metrics go on") {
                    let metrics = try await Self.get(port, "/metrics").body
                    return metrics.contains(settled("quick")) && metrics.contains(settled("third"))
                        && metrics.contains("reconciled_checks_in_flight{watch=\"orders\"} 1\n")
                }
                #expect(try await value("status", "b") == "pending")
                #expect(try await value("leased_by", "b") == holder)

                // There are never three.
                _ = try Self.write(base + "gateways: { \(more), zeta: { kind: fixed, state: PAID } }", to: directory)
                run.send(SIGHUP)
                try await run.says("the new configuration waits")
                let third = "\"lanes\":\"quick,slow,third,zeta\""
                try await eventually("what was under check is paid") {
                    // Looked at before the status: what begins after that one is in order.
                    let hasBegun = run.output.contains(third)
                    let isPaid = try await value("status", "b") == "paid"
                    try #require(isPaid || !hasBegun, "\(run.output)")
                    return isPaid
                }
                #expect(try await value("check_count", "b") == "1")
                try await run.says(third)
                try await served(3)
                try await eventually("nothing is under way") {
                    let metrics = try await Self.get(port, "/metrics").body
                    return metrics.contains(settled("slow"))
                        && metrics.contains("reconciled_checks_in_flight{watch=\"orders\"} 0\n")
                }
                // The old one's connections are the new one's by now.
                #expect(try await run.stop() == 0, "\(run.output)")
            }
        }
    }

    /// The new configuration cannot begin: what is under check is finished under the old one before the process ends.
    @Test func aReloadThatFailsFinishesWhatIsUnderCheck() async throws {
        try await withTestDatabase { database in
            try await withDirectory { directory in
                let base = "database: { url: \"\(database.url)\" }\n"
                let other = try LongRunning(
                    ["--config", try Self.write(base + "http: { port: 0 }", to: directory)], directory: directory)
                let taken = try await other.port()
                let slow = "gateways: { slow: { kind: fixed, state: PAID, delay: 15s, timeout: 60s } }"
                let file = try Self.write(base + "http: { port: 0 }\n" + slow, to: directory)
                let run = try LongRunning(["--config", file], directory: directory)
                try await run.says("\"lanes\":\"slow\"")
                try await Self.add("b", "slow", config: file)
                try await eventually("it is under check") {
                    try await Self.value("leased_by IS NOT NULL", "b", in: database) == "true"
                }
                _ = try Self.write(base + "http: { port: \(taken) }\n" + slow, to: directory)
                run.send(SIGHUP)
                try await run.says("stopping: finishing what runs")
                #expect(try await Self.value("status", "b", in: database) == "pending")
                try await eventually("it ends") { !run.process.isRunning }
                #expect(run.process.wait() == 1)
                #expect(run.output.contains("port \(taken): the port is in use"), "\(run.output)")
                #expect(try await Self.value("status", "b", in: database) == "paid")
                #expect(try await Self.value("check_count", "b", in: database) == "1")
                #expect(try await other.stop() == 0)
            }
        }
    }

    /// What the old configuration's pollers cannot finish is no reason to end the new one's.
    @Test func aReloadOutlivesThePollersThatItReplaced() async throws {
        try await withTestDatabase { old in
            try await withTestDatabase { new in
                try await withDirectory { directory in
                    func configuration(_ database: TestDatabase) -> String {
                        "database: { url: \"\(database.url)\" }\nhttp: { port: 0 }\n"
                            + "gateways: { slow: { kind: fixed, state: PAID, delay: 15s, timeout: 60s } }"
                    }
                    let file = try Self.write(configuration(old), to: directory)
                    let run = try LongRunning(["--config", file], directory: directory)
                    try await run.says("\"lanes\":\"slow\"")
                    try await Self.add("b", "slow", config: file)
                    try await eventually("it is under check") {
                        try await Self.value("leased_by IS NOT NULL", "b", in: old) == "true"
                    }
                    // Claims go on, but no settle.
                    let rename = Statement(name: "", text: "ALTER TABLE reconciled.checks RENAME TO gone")
                    try await old.pool.execute(PostgresQuery(rename))
                    _ = try Self.write(configuration(new), to: directory)
                    run.send(SIGHUP)
                    try await run.says("pollers of an earlier configuration failed")
                    try await Self.add("c", "slow", config: file)
                    try await eventually("the new one's order is paid") {
                        try await Self.value("status", "c", in: new) == "paid"
                    }
                    #expect(try await run.stop() == 0, "\(run.output)")
                }
            }
        }
    }

    @Test func aPortInUseIsAnErrorOnlyWhereItWasAskedFor() async throws {
        try await withTestDatabase { database in
            try await withDirectory { directory in
                let base = "database: { url: \"\(database.url)\" }\n"
                let first = try LongRunning(
                    ["--config", try Self.write(base + "http: { port: 0 }", to: directory)], directory: directory)
                let port = try await first.port()
                let second = try await Reconciled.run(
                    ["run"], environment: ["RECONCILED_DATABASE_URL": database.url, "RECONCILED_HTTP_PORT": "\(port)"])
                #expect(second.code == 1)
                #expect(second.errors.contains("port \(port): the port is in use"), "\(second.errors)")
                #expect(try await first.stop() == 0)
            }
        }
    }
}
