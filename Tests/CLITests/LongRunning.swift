import Foundation
import Glibc
import Testing

@testable import ReconciledCLI

/// `reconciled run` as a child, to be signalled. It ends with this: a test that fails leaves none behind.
final class LongRunning: Sendable {
    let process: ChildProcess
    let log: URL

    init(_ arguments: [String], directory: URL, environment: [String: String] = [:]) throws {
        let log = directory.appending(path: "run-\(UUID().uuidString).log")
        self.log = log
        let variables = environment.map { "\($0.key)=\($0.value)" }
        process = try ChildProcess(
            ["/usr/bin/env"] + variables + [Reconciled.binary.path, "run", "--log-format", "json"] + arguments,
            output: log.path)
    }

    deinit {
        guard process.isRunning else { return }
        send(SIGKILL)
        _ = process.wait()
    }

    var output: String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }

    func send(_ signal: Int32) { kill(process.processID, signal) }

    /// Waits until a log line holds `text`.
    func says(_ text: String) async throws {
        try await eventually("the log says \(text); it says \(output)") {
            try #require(self.process.isRunning || self.output.contains(text), "it ended: \(self.output)")
            return self.output.contains(text)
        }
    }

    /// The port that HTTP is served on.
    func port() async throws -> Int {
        try await says("HTTP is served")
        let match = try #require(output.firstMatch(of: /"message":"HTTP is served".*?"port":"([0-9]+)"/))
        return try #require(Int(match.1))
    }

    func stop(_ signal: Int32 = SIGTERM) async throws -> Int32 {
        send(signal)
        try await eventually("it ends") { !self.process.isRunning }
        return process.wait()
    }
}
