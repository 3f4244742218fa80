import Foundation
import Postgres
import Subprocess
import SystemPackage
import TestSupport
import Testing

@testable import ReconciledCLI

/// The dashboard of the real binary, used in a real browser.
@Suite struct DashboardTests {
    private static let script = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Peers/dashboard.py")

    private static func browse(_ arguments: [String]) async throws {
        let peers = try #require(ProcessInfo.processInfo.environment["RECONCILED_TEST_PEERS"])
        let record = try await Subprocess.run(
            .path(FilePath("\(peers)/python")), arguments: Arguments([script.path] + arguments),
            output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        #expect(record.standardOutput == "ok\n", "\(record.standardError)")
    }

    /// Where screenshots go: kept for who asks for them.
    private static func withScreenshots(_ body: (String) async throws -> Void) async throws {
        if let kept = ProcessInfo.processInfo.environment["RECONCILED_TEST_SCREENSHOTS"] {
            try FileManager.default.createDirectory(atPath: kept, withIntermediateDirectories: true)
            return try await body(kept)
        }
        try await withDirectory { try await body($0.path) }
    }

    private static func configuration(_ database: TestDatabase, tokens: String = "") -> String {
        """
        database: { url: "\(database.url)" }
        http: { port: 0\(tokens) }
        gateways:
          trial: { kind: fixed, state: PAID }
          odd: { kind: fixed, state: PAID, amount: 5 }
        stores:
          local: { kind: directory, chunks: /nonexistent/chunks, target: /nonexistent/files }
        """
    }

    private static func fill(_ database: TestDatabase) async throws {
        try await database.pool.withTransaction { transaction in
            try transaction.execute(
                script: """
                    INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, next_check_at) VALUES
                        ('odd-1', 'odd', 501, 'USD', now()), ('paid-1', 'trial', 1999, 'EUR', now()),
                        ('<img src=x onerror="window.pwned=1">/é %', 'trial', 1, 'JPY', now()),
                        ('later', 'trial', 1, 'EUR', 'infinity');
                    INSERT INTO reconciled.orders (id, gateway, amount_minor, currency)
                    SELECT 'many-' || n, 'trial', n, 'EUR' FROM generate_series(1, 60) AS n;
                    INSERT INTO reconciled.uploads (
                        id, store, name, total_bytes, chunk_bytes, chunk_count, received_chunks, missing, next_check_at)
                    VALUES ('u-1', 'local', 'beach.jpg', 1000, 100, 10, 6, '6-9', now() + interval '1 day');
                    INSERT INTO reconciled.timers (id, every, url) VALUES
                        ('t-1', '1 hour', 'http://127.0.0.1:9/x'),
                        ('t-long', '1 hour', 'http://127.0.0.1:9/' || repeat('x', 500));
                    """)
        }
    }

    @Test func aPersonFindsWhatWaitsDecidesAndSeesItInTheHistory() async throws {
        try await withTestDatabase { database in
            try await withDirectory { directory in
                let file = directory.appending(path: "reconciled.yaml")
                try Self.configuration(database).write(to: file, atomically: true, encoding: .utf8)
                try await Self.fill(database)
                let run = try LongRunning(["--config", file.path], directory: directory)
                let port = try await run.port()
                try await eventually("the odd order is in review") {
                    let shown = try await Reconciled.run(["show", "orders", "odd-1", "--json", "--config", file.path])
                    return shown.output.contains("AMOUNT_MISMATCH")
                }
                try await Self.withScreenshots { try await Self.browse(["http://127.0.0.1:\(port)", $0]) }
                #expect(try await run.stop() == 0, "\(run.output)")
            }
        }
    }

    @Test func whoSignsInDoesWhatTheTokenMay() async throws {
        try await withTestDatabase { database in
            try await withDirectory { directory in
                let file = directory.appending(path: "reconciled.yaml")
                let tokens = """
                    , tokens: [{ name: eyes, role: viewer, token: s3cret-eyes }, { name: ops, role: operator, token: s3cret-ops }]
                    """
                try Self.configuration(database, tokens: tokens).write(to: file, atomically: true, encoding: .utf8)
                try await Self.fill(database)
                let run = try LongRunning(["--config", file.path], directory: directory)
                let port = try await run.port()
                try await Self.withScreenshots {
                    try await Self.browse(["http://127.0.0.1:\(port)", $0, "s3cret-eyes,s3cret-ops"])
                }
                #expect(try await run.stop() == 0, "\(run.output)")
                #expect(!run.output.contains("s3cret"))
            }
        }
    }
}
