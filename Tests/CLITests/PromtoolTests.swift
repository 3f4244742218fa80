import AsyncHTTPClient
import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

@testable import ReconciledCLI

private let promtool = ProcessInfo.processInfo.environment["RECONCILED_TEST_PROMTOOL"]

/// What `/metrics` says, as Prometheus reads it. Runs where RECONCILED_TEST_PROMTOOL names the program.
@Suite(.enabled(if: promtool != nil, "RECONCILED_TEST_PROMTOOL is not set")) struct PromtoolTests {
    private func findings(in metrics: String) async throws -> (isClean: Bool, text: String) {
        let record = try await Subprocess.run(
            .path(FilePath(try #require(promtool))), arguments: ["check", "metrics"], input: .string(metrics),
            output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        return (record.terminationStatus.isSuccess, record.standardOutput + record.standardError)
    }

    @Test func everyMetricIsAsPrometheusWantsIt() async throws {
        try await withTestDatabase { database in
            try await withDirectory { directory in
                let yaml = """
                    database: { url: "\(database.url)" }
                    http: { port: 0 }
                    gateways: { trial: { kind: fixed, state: PAID, delay: 1ms }, late: { kind: fixed, state: REFUNDED } }
                    stores: { local: { kind: directory, chunks: "\(directory.path)", target: "\(directory.path)-files" } }
                    webhooks: { shop: { url: "http://127.0.0.1:9", secret: "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=" } }
                    """
                let file = directory.appending(path: "reconciled.yaml")
                try yaml.write(to: file, atomically: true, encoding: .utf8)
                let run = try LongRunning(["--config", file.path], directory: directory)
                let url = "http://127.0.0.1:\(try await run.port())/metrics"
                func metrics() async throws -> String {
                    let response = try await HTTPClient.shared.execute(
                        HTTPClientRequest(url: url), timeout: .seconds(10))
                    return String(buffer: try await response.body.collect(upTo: 1 << 22))
                }
                let orders = """
                    [{"id": "a", "gateway": "trial", "amount_minor": 1, "currency": "EUR", "next_check_at": "2020-01-01T00:00:00Z"},
                     {"id": "b", "gateway": "late", "amount_minor": 1, "currency": "EUR", "next_check_at": "2020-01-01T00:00:00Z"}]
                    """
                try await eventually("the schema is there") {
                    try await Reconciled.run(
                        ["add", "orders", "--json", "-", "--config", file.path], input: orders
                    ).code == 0
                }
                for name in [
                    #"reconciled_checks_total{lane="trial","#, #"reconciled_review_rows{reason="REFUNDED","#,
                    #"reconciled_due_rows{lane="local","#, #"reconciled_lane_paused{lane="shop"}"#,
                    "reconciled_http_requests_total",
                ] {
                    try await eventually("\(name) is shown") { try await metrics().contains(name) }
                }
                let checked = try await findings(in: try await metrics())
                #expect(checked.isClean && checked.text.isEmpty, "\(checked.text)")
                // It would say so if it were not.
                let wrong = try await findings(in: "reconciled_wrong_total 1\nreconciled_wrong_total 2\n")
                #expect(!wrong.isClean)
                #expect(try await run.stop() == 0, "\(run.output)")
            }
        }
    }
}
