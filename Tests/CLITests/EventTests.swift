import AsyncHTTPClient
import Foundation
import NIOCore
import Postgres
import TestSupport
import Testing

@testable import ReconciledCLI

/// `GET /v1/events` of the real binary.
@Suite struct EventTests {
    private static let configuration = """
        http: { port: 0 }
        gateways: { trial: { kind: fixed, state: PAID } }
        """

    /// For the life of the test process; listeners hold their connections.
    private static let client: HTTPClient = {
        OpenFilesLimit.raise()
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 2_000
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    private static func withRun(
        _ body: @escaping @Sendable (_ database: TestDatabase, _ base: String) async throws -> Void
    ) async throws {
        try await withTestDatabase { database in
            try await withDirectory { directory in
                let file = directory.appending(path: "reconciled.yaml")
                try ("database: { url: \"\(database.url)\" }\n" + configuration)
                    .write(to: file, atomically: true, encoding: .utf8)
                let run = try LongRunning(["--config", file.path], directory: directory)
                let port = try await run.port()
                try await body(database, "http://127.0.0.1:\(port)")
                #expect(try await run.stop() == 0, "\(run.output)")
            }
        }
    }

    private static func execute(_ database: TestDatabase, _ script: String) async throws {
        try await database.pool.withTransaction { try $0.execute(script: script) }
    }

    private static func addOrder(_ id: String) -> String {
        """
        INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, next_check_at)
        VALUES ('\(id)', 'trial', 1, 'EUR', now());
        """
    }

    /// Reads events until `isOver` says so of the text so far.
    private static func listen(
        _ url: String, headers: [(String, String)] = [], begun: @Sendable () async throws -> Void = {},
        until isOver: @Sendable (String) -> Bool
    ) async throws -> String {
        var request = HTTPClientRequest(url: url)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        let response = try await client.execute(request, timeout: .seconds(60))
        #expect(
            response.status == .ok && response.headers.first(name: "content-type") == "text/event-stream; charset=utf-8"
        )
        var text = ""
        var hasBegun = false
        for try await chunk in response.body {
            text += String(buffer: chunk)
            if !hasBegun, text.contains(": listening") {
                hasBegun = true
                try await begun()
            }
            if isOver(text) { break }
        }
        return text
    }

    @Test(.timeLimit(.minutes(3))) func changesAreHeardOnceAndWhatWasMissedComesAgain() async throws {
        try await Self.withRun { database, base in
            let heard = try await Self.listen(base + "/v1/events?watch=orders") {
                try await Self.execute(database, Self.addOrder("a"))
            } until: {
                $0.contains("\n\nid: ") && $0.hasSuffix("\n\n")
            }
            #expect(heard.contains("event: order.paid\ndata: {"), "\(heard)")
            #expect(heard.contains("\"row_id\": \"a\"") && heard.contains("\"status_after\": \"paid\""))
            let last = try #require(heard.matches(of: /id: ([0-9]+)\n/).last.map { String($0.1) })

            try await Self.execute(database, Self.addOrder("b"))
            try await Self.execute(database, Self.addOrder("c"))
            let later = try await Self.listen(base + "/v1/events", headers: [("last-event-id", last)]) {
            } until: { text in
                text.contains("\"row_id\": \"b\"") && text.contains("\"row_id\": \"c\"")
            }
            #expect(!later.contains("\"row_id\": \"a\""), "\(later)")
        }
    }

    /// A transaction that took its number first and commits last is not skipped.
    /// Who was cut off before the first event goes on where it began to listen.
    @Test(.timeLimit(.minutes(3))) func aListenerThatHeardNothingYetMissesNothing() async throws {
        try await Self.withRun { database, base in
            try await Self.execute(database, Self.addOrder("before"))
            _ = try await Self.listen(base + "/v1/events?after=0") { $0.contains("\"before\"") }
            let greeting = try await Self.listen(base + "/v1/events") { $0.contains(": listening") }
            let id = try #require(greeting.firstMatch(of: /id: ([0-9]+)\n/)).1
            try await Self.execute(database, Self.addOrder("meanwhile"))
            // It ends, so it is heard. What came right before may come again.
            _ = try await Self.listen(base + "/v1/events", headers: [("Last-Event-ID", String(id))]) {
                $0.contains("\"meanwhile\"")
            }
        }
    }

    @Test(.timeLimit(.minutes(3))) func aLateCommitIsHeard() async throws {
        try await Self.withRun { database, base in
            let history = """
                INSERT INTO reconciled.history (watch, row_id, lane, status_before, status_after)
                VALUES ('orders', '%', 'trial', 'pending', 'closed');
                """
            let heard = try await Self.listen(base + "/v1/events") {
                try await database.pool.withTransaction { transaction in
                    try transaction.execute(script: history.replacingOccurrences(of: "%", with: "late"))
                    // Meanwhile another connection writes the next one, and readers see it for a while.
                    try transaction.execute(
                        script: """
                            CREATE EXTENSION IF NOT EXISTS dblink;
                            SELECT dblink_exec('host=' || host(inet_server_addr()) || ' port=' || inet_server_port()
                                || ' dbname=' || current_database() || ' user=' || current_user,
                                $$\(history.replacingOccurrences(of: "%", with: "early"))$$);
                            SELECT pg_sleep(2);
                            """)
                }
            } until: {
                $0.contains("\"row_id\": \"late\"")
            }
            let early = try #require(heard.range(of: "\"row_id\": \"early\""))
            let late = try #require(heard.range(of: "\"row_id\": \"late\""))
            #expect(early.lowerBound < late.lowerBound)
            // Whoever is cut off between the two begins before both.
            let ids = heard.matches(of: /id: ([0-9]+)\nevent/).compactMap { Int64($0.1) }
            #expect(ids.count == 2 && ids[0] < ids[1], "\(heard)")
        }
    }

    @Test(.timeLimit(.minutes(3))) func manyListenTogether() async throws {
        try await Self.withRun { database, base in
            let count = 1_000
            try await withThrowingTaskGroup(of: Bool.self) { group in
                let (ready, isReady) = AsyncStream.makeStream(of: Void.self)
                for _ in 0..<count {
                    group.addTask {
                        let heard = try await Self.listen(base + "/v1/events?watch=orders") {
                            isReady.yield()
                        } until: {
                            $0.contains("\"row_id\": \"all\"")
                        }
                        return heard.contains("order.paid")
                    }
                }
                var listening = 0
                for await _ in ready {
                    listening += 1
                    if listening == count { break }
                }
                try await Self.execute(database, Self.addOrder("all"))
                var heard = 0
                for try await one in group where one { heard += 1 }
                #expect(heard == count)
            }
        }
    }
}
