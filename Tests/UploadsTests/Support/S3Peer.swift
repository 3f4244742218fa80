import Foundation
import JSON
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// A Python process with S3 libraries that are not ours; see `Peers/s3_peer.py`.
///
/// Runs where RECONCILED_TEST_PEERS names the `bin` directory of a Python environment that has them: `scripts/test` makes
/// one.
final class S3Peer {
    static let bin = ProcessInfo.processInfo.environment["RECONCILED_TEST_PEERS"]

    private let nextLine: () async throws -> String?
    private let input: StandardInputWriter

    private init(_ input: StandardInputWriter, _ nextLine: @escaping () async throws -> String?) {
        self.nextLine = nextLine
        self.input = input
    }

    func hear() async throws -> JSONValue {
        let line = try await nextLine()
        return try JSONValue(parsing: Array((try #require(line, "the peer ended")).utf8))
    }

    /// Tells one line and hears one.
    func ask(_ question: JSONObjectText) async throws -> JSONValue {
        _ = try await input.write(question.text + "\n")
        return try await hear()
    }

    static func with(_ mode: String, _ body: (S3Peer) async throws -> Void) async throws {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Peers/s3_peer.py").path
        let python = try #require(bin) + "/python"
        let result = try await run(
            .path(FilePath(python)), arguments: [script, mode], input: .inputWriter, output: .sequence,
            error: .discarded
        ) { execution in
            var lines = execution.standardOutput.strings().makeAsyncIterator()
            let peer = S3Peer(execution.standardInputWriter) { try await lines.next() }
            let outcome: Result<Void, any Error>
            do {
                try await body(peer)
                outcome = .success(())
            } catch {
                outcome = .failure(error)
            }
            try await execution.standardInputWriter.finish()
            try outcome.get()
        }
        #expect(result.terminationStatus.isSuccess)
    }
}
