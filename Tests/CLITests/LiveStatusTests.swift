import Foundation
import Glibc
import TestSupport
import Testing

@testable import ReconciledCLI

/// `status --watch` of the real binary, in a terminal and in a pipe.
@Suite struct LiveStatusTests {
    /// A terminal that the program runs in.
    private struct Terminal {
        private static let script = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Peers/terminal.py")

        let file: URL
        private let shell: BackgroundShell

        init(_ arguments: [String], rows: Int, columns: Int, directory: URL) throws {
            file = directory.appending(path: "screen")
            let peers = try #require(ProcessInfo.processInfo.environment["RECONCILED_TEST_PEERS"])
            let words =
                ["\(peers)/python", Self.script.path, file.path, "\(rows)", "\(columns)", Reconciled.binary.path]
                + arguments
            shell = try BackgroundShell(script: "exec " + words.map { "'\($0)'" }.joined(separator: " "))
        }

        func tell(_ line: String) { shell.tell(line) }
        func end() async { await shell.end() }

        var all: String { (try? String(contentsOf: file, encoding: .utf8)) ?? "" }

        var frames: [String] { all.components(separatedBy: "\u{1B}[H").dropFirst().map { String($0) } }

        /// The last picture that was drawn to its end, as lines without colours.
        var lines: [String] {
            let frame = frames.last { $0.contains("\u{1B}[J") } ?? ""
            let text = frame.components(separatedBy: "\u{1B}[J")[0]
            return text.replacing(/\u{1B}\[[0-9;]*[mK]/, with: "").components(separatedBy: "\r\n")
        }

        func shows(_ text: String) async throws {
            try await eventually("the screen shows \(text); it shows \(lines.joined(separator: "\n"))") {
                lines.contains { $0.contains(text) }
            }
        }
    }

    private static func configuration(_ url: String, in directory: URL) throws -> String {
        let file = directory.appending(path: "reconciled.yaml")
        try "database: { url: \"\(url)\" }\ngateways: { trial: { kind: fixed, state: PAID } }"
            .write(to: file, atomically: true, encoding: .utf8)
        return file.path
    }

    private static let order = #"{"id": "a", "gateway": "trial", "amount_minor": 1, "currency": "EUR"}"#

    @Test func aTerminalIsDrawnOnAnewAndLeftAsItWas() async throws {
        try await withTestDatabase { database in
            try await withDirectory { directory in
                let file = try Self.configuration(database.url, in: directory)
                let terminal = try Terminal(
                    ["status", "--watch", "--interval", "100ms", "--config", file], rows: 24, columns: 100,
                    directory: directory)
                try await terminal.shows("no rows")
                #expect(terminal.all.contains(LiveScreen.enter) && !terminal.all.contains(LiveScreen.leave))
                let drawn = terminal.frames.count
                try await eventually("it is drawn anew") { terminal.frames.count > drawn + 3 }
                let added = try await Reconciled.run(
                    ["add", "orders", "--json", "-", "--config", file], input: Self.order)
                #expect(added.code == 0, "\(added.errors)")
                try await terminal.shows("pending")
                #expect(!terminal.lines.contains { $0.contains("no rows") })
                terminal.tell("resize 6 30")
                try await eventually("it fits") {
                    terminal.lines.count <= 6 && terminal.lines.allSatisfy { TerminalText.width($0) < 30 }
                }
                for columns in [40, 20] {
                    terminal.tell("resize 24 \(columns)")
                    try await eventually("what is late and how many there are is seen: \(terminal.lines)") {
                        terminal.lines.allSatisfy { TerminalText.width($0) < columns }
                            && ["STATE", "ROWS"].allSatisfy { title in
                                terminal.lines.contains { $0.hasSuffix(title) }
                            }
                    }
                }
                terminal.tell("press 03")
                try await eventually("it ends: \(terminal.all)") { terminal.all.contains("\nexit ") }
                #expect(terminal.all.hasSuffix(LiveScreen.leave + "\nexit 0\n"), "\(terminal.all.suffix(300))")
                await terminal.end()
            }
        }
    }

    @Test func aServerThatComesBackIsSeenAgain() async throws {
        try await withPrivateServer { server in
            try await withDirectory { directory in
                let file = try Self.configuration(server.url, in: directory)
                let migrated = try await Reconciled.run(["migrate", "--config", file])
                #expect(migrated.code == 0, "\(migrated.errors)")
                let terminal = try Terminal(
                    ["status", "--watch", "--interval", "100ms", "--config", file], rows: 24, columns: 100,
                    directory: directory)
                try await terminal.shows("no rows")
                server.tell("as \"$bin/pg_ctl\" -D data -w -m fast stop >/dev/null")
                try await terminal.shows("reconnecting: the database")
                #expect(terminal.lines.contains { $0.contains("no rows") }, "the last picture stays")
                server.tell("as \"$bin/pg_ctl\" -D data -w -l log start >/dev/null")
                try await eventually("it goes on") { !terminal.lines.contains { $0.contains("reconnecting") } }
                let added = try await Reconciled.run(
                    ["add", "orders", "--json", "-", "--config", file], input: Self.order)
                #expect(added.code == 0, "\(added.errors)")
                try await terminal.shows("pending")
                terminal.tell("press 03")
                try await eventually("it ends: \(terminal.all)") { terminal.all.hasSuffix("\nexit 0\n") }
                await terminal.end()
            }
        }
    }

    @Test func aPipeGetsALineAnIntervalUntilNobodyReads() async throws {
        try await withTestDatabase { database in
            try await withDirectory { directory in
                let file = try Self.configuration(database.url, in: directory)
                let output = directory.appending(path: "lines")
                let command =
                    "'\(Reconciled.binary.path)' status --watch --json --interval 100ms --config '\(file)'"
                // Ends only if the program does when its reader is gone.
                let child = try ChildProcess(
                    ["/bin/sh", "-c", "(\(command); echo $? >'\(directory.path)/code') | head -n 3 >'\(output.path)'"],
                    output: "/dev/null")
                try await eventually("it ends") { !child.isRunning }
                #expect(child.wait() == 0)
                let lines = try String(contentsOf: output, encoding: .utf8).split(separator: "\n")
                #expect(lines.count == 3 && lines.allSatisfy { $0.hasPrefix("{\"lanes\":[") && $0.hasSuffix("]}") })
                #expect(try String(contentsOf: directory.appending(path: "code"), encoding: .utf8) == "0\n")
            }
        }
    }

    @Test(arguments: [
        ["status", "--interval", "1s"], ["status", "--watch", "--interval", "99ms"],
        ["status", "--watch", "--interval", "2h"], ["status", "--watch", "--interval", "soon"],
    ])
    func intervalsAreBounded(arguments: [String]) async throws {
        let result = try await Reconciled.run(arguments)
        #expect(result.code == 64 && result.errors.contains("interval"), "\(result.errors)")
    }
}
