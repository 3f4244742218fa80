import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

@testable import ReconciledCLI

private let peers = ProcessInfo.processInfo.environment["RECONCILED_TEST_PEERS"]

/// The program under schemathesis (PyPI, 4.32.5), which makes requests of every kind from the OpenAPI document and holds the
/// answers to it. Runs where RECONCILED_TEST_PEERS names the `bin` directory of a Python environment that has it.
@Suite(.enabled(if: peers != nil, "RECONCILED_TEST_PEERS is not set"), .timeLimit(.minutes(5))) struct FuzzTests {
    @Test func everyAnswerIsAsDocumented() async throws {
        let seed = TestSeed.value % 1_000_000
        try await withTestDatabase { database in
            try await withDirectory { directory in
                let yaml = """
                    database: { url: "\(database.url)" }
                    http: { port: 0, tokens: [{ name: ada, role: admin, token: a-secret }] }
                    gateways: { trial: { kind: fixed, state: NOT_PAID_YET } }
                    """
                let file = directory.appending(path: "reconciled.yaml")
                try yaml.write(to: file, atomically: true, encoding: .utf8)
                let run = try LongRunning(["--config", file.path], directory: directory)
                let base = "http://127.0.0.1:\(try await run.port())"
                let record = try await Subprocess.run(
                    .path(FilePath(try #require(peers) + "/schemathesis")),
                    arguments: [
                        "run", base + "/openapi.json", "--header", "Authorization: Bearer a-secret", "--seed",
                        "\(seed)",
                        "--phases", "examples,coverage,fuzzing,stateful", "--max-time", "45", "--checks", "all",
                        // Events do not end. A schema cannot say that a body's id is the path's, that chunk_count fits the sizes, or which decision
                        // needs a txn.
                        "--exclude-checks", "positive_data_acceptance", "--exclude-path", "/v1/events",
                        "--generation-database", "none", "--no-color",
                        "--warnings", "off",
                    ], workingDirectory: FilePath(directory.path), output: .string(limit: 8 << 20),
                    error: .string(limit: 1 << 20))
                #expect(
                    record.terminationStatus.isSuccess,
                    "RECONCILED_TEST_SEED=\(seed)\n\(record.standardOutput.suffix(6_000))\(record.standardError)")
                #expect(record.standardOutput.contains("Operations"), "it asked for something")
                #expect(try await run.stop() == 0)
                // What the program says of itself: nothing failed that only we could mend.
                let faults = run.output.split(separator: "\n").filter {
                    $0.contains("\"error\"") || $0.contains("\"critical\"") || $0.contains("database failed a request")
                }
                #expect(faults.isEmpty)
            }
        }
    }
}
