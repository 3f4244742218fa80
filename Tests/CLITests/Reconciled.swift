import Foundation
import Glibc
import Subprocess
import SystemPackage
import Testing

@testable import ReconciledCLI

/// The real binary.
enum Reconciled {
    struct Result {
        var code: Int32
        var output: String
        var errors: String
    }

    /// Beside the test bundle.
    static let binary: URL = {
        let bundle = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        return bundle.deletingLastPathComponent().appending(path: "reconciled")
    }()

    /// Runs one command in an empty directory of its own and waits for it.
    static func run(
        _ arguments: [String], environment: [String: String] = [:], directory: URL? = nil, input: String = ""
    ) async throws -> Result {
        var variables = ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "USER": "tester"]
        variables.merge(environment) { _, new in new }
        let place = directory ?? FileManager.default.temporaryDirectory
        let record = try await Subprocess.run(
            .path(FilePath(binary.path)), arguments: Arguments(arguments),
            environment: .custom(
                Dictionary(
                    uniqueKeysWithValues: variables.map { (Environment.Key(stringLiteral: $0.key), $0.value) })),
            workingDirectory: FilePath(place.path), input: .string(input), output: .string(limit: 8 << 20),
            error: .string(limit: 8 << 20))
        guard case .exited(let code) = record.terminationStatus else {
            Issue.record("\(arguments) ended with \(record.terminationStatus)")
            return Result(code: -1, output: record.standardOutput, errors: record.standardError)
        }
        return Result(code: code, output: record.standardOutput, errors: record.standardError)
    }
}

/// A directory that is gone afterwards.
func withDirectory<T>(_ body: (URL) async throws -> T) async throws -> T {
    let directory = FileManager.default.temporaryDirectory.appending(path: "reconciled-cli-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    // A server that runs as another user must be able to pass.
    unsafe chmod(directory.path, 0o755)
    defer { try? FileManager.default.removeItem(at: directory) }
    return try await body(directory)
}

/// Looks until `condition` holds, and fails the test if it does not in time.
func eventually(
    _ what: String, within limit: Duration = .seconds(60), _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while true {
        if try await condition() { return }
        try #require(ContinuousClock.now < deadline, "not in time: \(what)")
        try await Task.sleep(for: .milliseconds(20))
    }
}
