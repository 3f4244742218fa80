import Foundation
import Postgres
import Schema
import TestSupport
import Testing

/// The real binary killed in the middle of timers' calls: each run that falls due is made, under its one key, and no timer
/// is called twice at once.
@Suite(.serialized, .timeLimit(.minutes(5))) struct TimerFaultTests {
    private static let timers = (0..<6).map { "t-\($0)" }

    private static let kills = 6

    private struct Scene {
        var database: TestDatabase
        var sink: TimerSink
        var folder: URL

        func count(_ sql: String) async throws -> Int64 { try await database.count(sql) }
        func execute(_ sql: String) async throws { try await database.execute(sql) }

        func start(_ arguments: [String]) throws -> Program {
            let name = UUID().uuidString
            let file = folder.appending(path: "\(name).yaml")
            let text = """
                database: { url: "\(database.url)", poolSize: 3 }
                http: { host: 127.0.0.1, port: 0 }
                watches:
                  timers: { lease: 2s, poll: 100ms }
                """
            try text.write(to: file, atomically: true, encoding: .utf8)
            return try Program(arguments + ["--config", file.path], log: folder.appending(path: "\(name).log"))
        }

        /// Adds timers of a second by their ids, as a person does.
        func add(_ ids: [String]) async throws {
            let objects = ids.map {
                """
                {"id": "\($0)", "every": "1s", "anchor_at": "2026-01-01T00:00:00Z", "catch_up": "all",
                 "url": "http://127.0.0.1:\(sink.boundPort ?? 0)/tick"}
                """
            }
            let file = folder.appending(path: "timers.json")
            try "[\(objects.joined(separator: ","))]".write(to: file, atomically: true, encoding: .utf8)
            let program = try start(["add", "timers", "--json", file.path])
            #expect(try await program.end() == 0, "\(program.output)")
        }
    }

    private func withScene(_ body: (Scene) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "reconciled-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let sink = TimerSink(latency: .milliseconds(300))
        try await withTestDatabase { database in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await sink.run() }
                try await eventually("the sink listens") { sink.boundPort != nil }
                try await body(Scene(database: database, sink: sink, folder: folder))
                group.cancelAll()
            }
        }
    }

    @Test func timersFireOnTheirGridThoughPollersAreKilledInTheirCalls() async throws {
        try await withScene { scene in
            let sink = scene.sink
            try await scene.add(Self.timers)
            var pollers = [try scene.start(["run"]), try scene.start(["run"])]
            defer { for poller in pollers { poller.kill9() } }
            for round in 0..<Self.kills {
                let before = sink.keys.count
                try await eventually("calls are under way", within: .seconds(30)) {
                    sink.keys.count >= before + Self.timers.count && sink.runningCount > 0
                }
                pollers[round % 2].kill9()
                pollers[round % 2] = try scene.start(["run"])
            }
            // By then the last one runs, and the leases of the one before it have lapsed.
            let quiet = try await scene.count("SELECT extract(epoch FROM now())::bigint + 4")
            try await eventually("what was missed is made up for", within: .seconds(60)) {
                try await scene.count(
                    """
                    SELECT count(*) FROM reconciled.timers
                    WHERE last_checked_at <= to_timestamp(\(quiet)) OR next_check_at < now() - interval '1 s'
                    """) == 0
            }
            for poller in pollers {
                poller.send(SIGTERM)
                #expect(poller.wait() == 0, "\(poller.output)")
            }

            #expect(sink.calledTwiceAtOnce.isEmpty)
            var repeats = 0
            for timer in Self.timers {
                let texts = sink.keys.filter { $0.hasPrefix("\(timer)/") }.map { $0.dropFirst(timer.count + 1) }
                // The grid's instants are whole seconds: others do not parse.
                let instants = try texts.map { try Date(String($0), strategy: .iso8601).timeIntervalSince1970 }
                let runs = Set(instants).sorted()
                #expect(instants == instants.sorted(), "\(timer) went back in time")
                #expect(runs.last.map { $0 - runs[0] + 1 } == Double(runs.count), "\(timer) left out a run")
                repeats += instants.count - runs.count
                let counted = try await scene.count(
                    "SELECT run_count FROM reconciled.timers WHERE id = '\(timer)'")
                #expect(counted == Int64(runs.count), "\(timer) counts a run twice, or not at all")
            }
            #expect(repeats > 0, "no kill met a call")
            #expect(repeats <= Self.kills * Self.timers.count, "a run was repeated that no kill cut off")
        }
    }
}
