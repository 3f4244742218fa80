import Foundation
import Subprocess
import SystemPackage

extension PgbenchScript {
    enum Length {
        case rounds(Int)
        case time(Duration)

        fileprivate var arguments: [String] {
            switch self {
            case .rounds(let count): ["-t", "\(count)"]
            case .time(let duration): ["-T", "\(max(1, duration.components.seconds))"]
            }
        }
    }

    /// Runs the script with so many clients, each on a connection of its own; returns how often a second they did, as
    /// pgbench itself measured.
    func roundsPerSecond(url: String, clients: Int = 1, for length: Length) async throws -> Double {
        let file = FileManager.default.temporaryDirectory.appending(path: "reconciled-\(UUID().uuidString).sql")
        try text.write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }  // a temporary file left behind harms nobody
        var arguments = ["-n", "-M", "prepared", "-c", "\(clients)", "-f", file.path] + length.arguments
        for variable in variables { arguments += ["-D", variable] }
        let record = try await Subprocess.run(
            .path(FilePath(try Self.program())), arguments: Arguments(arguments + [url]),
            output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        let output = record.standardOutput
        guard record.terminationStatus.isSuccess,
            let match = output.firstMatch(of: /tps = ([0-9.]+)/), let rate = Double(match.1), rate > 0
        else {
            throw Bench.Failure(description: "pgbench failed: \(record.standardError)")
        }
        return rate
    }

    private static func program() throws -> String {
        let folders = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        let versions = folders.compactMap { Int($0) }.sorted()
        guard let newest = versions.last else {
            throw Bench.Failure(description: "no pgbench found; it comes with the package postgresql")
        }
        return "/usr/lib/postgresql/\(newest)/bin/pgbench"
    }
}
