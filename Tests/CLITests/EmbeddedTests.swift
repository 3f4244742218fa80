import Foundation
import Glibc
import Logging
import Testing

@testable import ReconciledCLI

@Suite(.serialized) struct EmbeddedTests {
    /// Processes whose command line names the directory.
    private static func processes(in directory: URL) -> [String] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.filter { Int($0) != nil }.compactMap { entry in
            guard let data = FileManager.default.contents(atPath: "/proc/\(entry)/cmdline") else { return nil }
            let line = String(decoding: data.map { $0 == 0 ? 32 : $0 }, as: UTF8.self)
            return line.contains(directory.path) ? "\(entry) \(line)" : nil
        }
    }

    private static func isGone(_ directory: URL) async throws {
        try await eventually("nothing is left behind: \(processes(in: directory))") { processes(in: directory).isEmpty }
    }

    private static let environment = [
        "RECONCILED_HTTP_PORT": "0", "RECONCILED_GATEWAYS_TRIAL_KIND": "fixed",
        "RECONCILED_GATEWAYS_TRIAL_STATE": "PAID",
    ]

    private static func run(in directory: URL, data: String = "data") throws -> LongRunning {
        try LongRunning(
            ["--embedded", directory.appending(path: data).path], directory: directory, environment: environment)
    }

    @Test func startsKeepsItsDataAndIsSharedByASecondRun() async throws {
        try await withDirectory { directory in
            let data = directory.appending(path: "data").path
            let first = try Self.run(in: directory)
            try await first.says("\"message\":\"polling\"")
            let second = try Self.run(in: directory)
            try await second.says("using the PostgreSQL that runs in the directory")
            try await second.says("\"message\":\"polling\"")
            let order = #"{"id": "a", "gateway": "trial", "amount_minor": 1, "currency": "EUR"}"#
            let added = try await Reconciled.run(
                ["add", "orders", "--json", "-", "--embedded=\(data)"], environment: Self.environment, input: order)
            #expect(added.code == 0, "\(added.errors)")
            #expect(try await second.stop() == 0)
            #expect(try await first.stop() == 0)
            try await Self.isGone(directory)

            // A command starts the server for itself, finds the data, and leaves nothing behind.
            let list = try await Reconciled.run(
                ["list", "orders", "--json", "--embedded=\(data)"], environment: Self.environment)
            #expect(list.code == 0 && list.output.contains("\"a\""), "\(list.errors)")
            try await Self.isGone(directory)
        }
    }

    @Test func leavesNothingBehindWhenItIsKilled() async throws {
        try await withDirectory { directory in
            let first = try Self.run(in: directory)
            try await first.says("\"message\":\"polling\"")
            #expect(try await first.stop(SIGKILL) == 128 + SIGKILL)
            // The next one waits for the server of the dead one to stop, and starts its own.
            let second = try Self.run(in: directory)
            try await second.says("\"message\":\"polling\"")
            #expect(try await second.stop(SIGKILL) == 128 + SIGKILL)
            try await Self.isGone(directory)
        }
    }

    @Test func aLongDirectoryNameGetsAShortSocket() async throws {
        try await withDirectory { directory in
            let long = Array(repeating: "0123456789", count: 12).joined()
            let run = try Self.run(in: directory, data: long)
            try await run.says("\"message\":\"polling\"")
            #expect(run.output.contains("%2Ftmp%2Freconciled%2D"), "\(run.output)")
            let named = try String(
                contentsOf: directory.appending(path: "\(long)/socket.path"), encoding: .utf8)
            #expect(try await run.stop() == 0, "\(run.output)")
            try await Self.isGone(directory)
            #expect(!FileManager.default.fileExists(atPath: named))
        }
    }

    @Test func aDirectoryOfSomeoneElseIsLeftAlone() async throws {
        try await withDirectory { directory in
            let foreign = directory.appending(path: "foreign")
            try FileManager.default.createDirectory(at: foreign, withIntermediateDirectories: true)
            try "mine".write(to: foreign.appending(path: "file"), atomically: true, encoding: .utf8)
            let result = try await Reconciled.run(["status", "--embedded=\(foreign.path)"])
            #expect(result.code == 1 && result.errors.contains("holds no PostgreSQL of ours"), "\(result.errors)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: foreign.path) == ["file"])
        }
    }

    /// A new one would hide that the directory is another than meant.
    @Test func whoOnlyLooksOrActsMakesNoCluster() async throws {
        try await withDirectory { directory in
            let data = directory.appending(path: "data").path
            for words in [
                ["nudge", "orders", "a", "--embedded", data], ["nudge", "orders", "--embedded", data, "a"],
                ["list", "--embedded", data, "orders"], ["status", "--embedded=\(data)"],
                ["migrate", "--dry-run", "--embedded", data],
            ] {
                let result = try await Reconciled.run(words, directory: directory)
                #expect(
                    result.code == 1 && result.errors.contains("there is no PostgreSQL in \(data)"), "\(result.errors)")
            }
            // What stands behind it is its directory: an argument is missing.
            for words in [["show", "--embedded", "orders", "a"], ["nudge", "orders", "--embedded", "a"]] {
                let result = try await Reconciled.run(words, directory: directory)
                #expect(result.code == 64, "\(words): \(result.errors)")
            }
            for words in [["status", "--embedded", ""], ["run", "--embedded="]] {
                #expect(try await Reconciled.run(words, directory: directory).code == 64)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)

            let made = try await Reconciled.run(["migrate", "--json", "--embedded", data], directory: directory)
            #expect(made.code == 0, "\(made.errors)")
            let list = try await Reconciled.run(["list", "--embedded", data, "orders", "--json"], directory: directory)
            #expect(list.code == 0 && list.output == "[]\n", "\(list.errors)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["data"])
            try await Self.isGone(directory)
        }
    }

    @Test func aServerThatCannotStartSaysWhy() async throws {
        try await withDirectory { directory in
            let data = directory.appending(path: "data")
            let first = try await Reconciled.run(["migrate", "--embedded=\(data.path)"])
            #expect(first.code == 0, "\(first.errors)")
            let file = data.appending(path: "data/postgresql.conf")
            let text = try String(contentsOf: file, encoding: .utf8) + "\nnonsense = 1\n"
            let handle = try FileHandle(forWritingTo: file)
            try handle.write(contentsOf: Data(text.utf8))
            try handle.close()
            let second = try await Reconciled.run(["status", "--embedded=\(data.path)"])
            #expect(second.code == 1 && second.errors.contains("nonsense"), "\(second.errors)")
            try await Self.isGone(directory)
        }
    }
}
