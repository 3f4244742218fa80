import Foundation
import JSON
import Subprocess
import SystemPackage
import Testing

/// The receivers' own library, `standardwebhooks` from PyPI, in a Python process; see `Peers/verify.py`.
///
/// Runs where RECONCILED_TEST_PEERS names the `bin` directory of a Python environment that has it: `scripts/test` makes
/// one.
final class WebhookPeer {
    static let bin = ProcessInfo.processInfo.environment["RECONCILED_TEST_PEERS"]

    private let nextLine: () async throws -> String?
    private let input: StandardInputWriter

    private init(_ input: StandardInputWriter, _ nextLine: @escaping () async throws -> String?) {
        self.nextLine = nextLine
        self.input = input
    }

    /// The type of the verified event, or what is wrong with it.
    func verify(_ call: Sink.Call, secret: String) async throws -> String {
        var headers = JSONObjectText()
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] { headers.add(name, call.headers[name]) }
        var question = JSONObjectText()
        question.add("secret", secret)
        question.add("headers", object: headers)
        question.add("body", call.body)
        _ = try await input.write(question.text + "\n")
        return try #require(try await nextLine(), "the peer ended")
    }

    static func with(_ body: (WebhookPeer) async throws -> Void) async throws {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Peers/verify.py").path
        let python = try #require(bin) + "/python"
        let result = try await run(
            .path(FilePath(python)), arguments: [script], input: .inputWriter, output: .sequence, error: .discarded
        ) { execution in
            var lines = execution.standardOutput.strings().makeAsyncIterator()
            let peer = WebhookPeer(execution.standardInputWriter) {
                try await lines.next()?.trimmingCharacters(in: .whitespacesAndNewlines)
            }
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
