import Foundation
import Glibc

/// The system's PostgreSQL server.
struct PostgresBinaries: Sendable {
    let folder: String
    /// Of the folder's name or of the cluster; for people.
    let version: String

    /// The newest server of the system, or the one of the version that the cluster was made with.
    static func find(forDataAt data: String) throws -> PostgresBinaries {
        let made = (try? String(contentsOfFile: "\(data)/PG_VERSION", encoding: .utf8))?
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let base = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: base)) ?? [])
            .sorted { (Double($0) ?? 0) > (Double($1) ?? 0) }
        for version in versions where made == nil || made == version {
            let folder = "\(base)/\(version)/bin"
            if holdsServer(folder) { return PostgresBinaries(folder: folder, version: version) }
        }
        // Elsewhere the version is not known from the path; the server itself refuses a cluster of another one.
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        for folder in path.split(separator: ":").map(String.init) where folder.hasPrefix("/") && holdsServer(folder) {
            return PostgresBinaries(folder: folder, version: made ?? "of \(folder)")
        }
        if let made, !versions.isEmpty {
            throw CommandFailure("\(data) was made by PostgreSQL \(made), which is not installed")
        }
        throw CommandFailure("no PostgreSQL server is installed; on Debian: apt-get install postgresql")
    }

    private static func holdsServer(_ folder: String) -> Bool {
        unsafe access("\(folder)/postgres", X_OK) == 0 && access("\(folder)/initdb", X_OK) == 0
    }
}
