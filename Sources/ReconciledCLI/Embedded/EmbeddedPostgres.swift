import Crypto
import Foundation
import Logging
import Postgres
import Schema
import Subprocess
import SystemPackage

/// A private PostgreSQL from the system's binaries, its data kept in one directory, for as long as a closure runs.
///
/// It listens on a Unix socket only. Run by root, the server runs as the user `postgres`, for it refuses to be root.
/// When this process ends, however it ends, a small keeper stops the server: it waits for the end of a pipe that we hold.
/// A directory whose server runs already is shared: we attach to it, and whoever started it stops it.
struct EmbeddedPostgres {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    let directory: URL
    private let binaries: URL
    /// The server's user when we are root.
    private let serverUser: String?
    private let logger: Logger

    /// Where data is kept unless told otherwise: a place that the server's user can enter.
    static var defaultDirectory: String {
        if getuid() == 0 { return "/var/lib/reconciled" }
        let environment = ProcessInfo.processInfo.environment
        let data = environment["XDG_DATA_HOME"] ?? "\(environment["HOME"] ?? ".")/.local/share"
        return "\(data)/reconciled"
    }

    init(directory: String, logger: Logger) throws(Failure) {
        self.directory = URL(filePath: directory).standardizedFileURL
        self.logger = logger
        serverUser = getuid() == 0 ? "postgres" : nil
        guard let newest = Self.newestBinaries() else {
            throw Failure(description: "no PostgreSQL server is installed here; on Debian: apt-get install postgresql")
        }
        binaries = newest
    }

    private static func newestBinaries() -> URL? {
        let root = URL(filePath: "/usr/lib/postgresql")
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
        return versions.compactMap { Int($0) }.sorted(by: >)
            .map { root.appending(path: "\($0)/bin") }
            .first { FileManager.default.isExecutableFile(atPath: $0.appending(path: "postgres").path) }
    }

    private var data: URL { directory.appending(path: "data") }

    /// A socket's path has room for 107 bytes; a directory with a longer one gets its socket under /tmp.
    private var socketDirectory: String {
        let beside = directory.appending(path: "socket").path
        guard beside.utf8.count > 80 else { return beside }
        let digest = SHA256.hash(data: Array(directory.path.utf8)).prefix(8).map { String($0, radix: 36) }.joined()
        return "/tmp/reconciled-\(getuid())-\(digest)"
    }

    private var url: String {
        let allowed = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-._~"))
        let host = socketDirectory.addingPercentEncoding(withAllowedCharacters: allowed) ?? socketDirectory
        return "postgres:///postgres?host=\(host)&user=reconciled"
    }

    /// Runs `body` with the server's URL; the server is stopped afterwards unless it was there before.
    func run<T: Sendable>(_ body: (_ url: String) async throws -> T) async throws -> T {
        if await answers() {
            logger.info("attached to the PostgreSQL that runs in this directory")
            return try await body(url)
        }
        try await initialize()
        // The keeper has a session of its own: a Ctrl-C stops us, and us alone; we stop the server when we are done.
        var options = PlatformOptions()
        options.createSession = true
        let keeper = [
            "-c", Self.keeperScript, "keeper", binaries.path, data.path, socketDirectory,
            directory.appending(path: "postgres.log").path,
        ]
        let (command, arguments) = asServerUser("/bin/sh", keeper)
        let record = try await Subprocess.run(
            .path(command), arguments: arguments, workingDirectory: "/", platformOptions: options, input: .inputWriter,
            output: .discarded, error: .discarded
        ) { execution -> Result<T, any Error> in
            let result: Result<T, any Error>
            do {
                try await waitUntilReady()
                result = .success(try await body(url))
            } catch {
                result = .failure(error)
            }
            do {
                try await execution.standardInputWriter.finish()
            } catch {
                logger.warning("the server's keeper is gone", metadata: ["error": "\(error)"])
            }
            return result
        }
        return try record.closureResult.get()
    }

    /// $1 binaries, $2 data, $3 socket directory, $4 log. Stops the server when its input ends, that is when we are gone.
    private static let keeperScript = """
        "$1/postgres" -D "$2" -k "$3" -c listen_addresses= >>"$4" 2>&1 </dev/null &
        server=$!
        cat >/dev/null
        kill -INT "$server" 2>/dev/null
        wait "$server"
        """

    private func initialize() async throws {
        do {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        } catch {
            throw Failure(description: "the directory \(directory.path) cannot be made")
        }
        for folder in [directory.path, socketDirectory] {
            try await shell("mkdir -p \"$1\" && chmod 700 \"$1\"", folder)
            if let serverUser { try await shell("chown \(serverUser) \"$1\"", folder) }
        }
        if serverUser != nil {
            let enter = asServerUser("/bin/sh", ["-c", "cd \"$1\"", "enter", directory.path])
            guard try await succeeds(enter) else {
                throw Failure(
                    description: "the user postgres cannot enter \(directory.path), and PostgreSQL refuses to run as "
                        + "root; choose a directory such as \(Self.defaultDirectory)")
            }
        }
        let version = data.appending(path: "PG_VERSION").path
        guard !FileManager.default.fileExists(atPath: version) else { return }
        logger.info("making a new PostgreSQL", metadata: ["directory": "\(directory.path)"])
        let arguments = [
            "-D", data.path, "-U", "reconciled", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
        ]
        let initdb = asServerUser(binaries.appending(path: "initdb").path, arguments)
        let record = try await Subprocess.run(
            .path(initdb.0), arguments: initdb.1, workingDirectory: "/", output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20))
        guard record.terminationStatus.isSuccess else {
            throw Failure(description: "initdb failed: \(record.standardError)")
        }
    }

    private func waitUntilReady() async throws {
        // Recovery after a crash takes its time.
        for _ in 0..<1_200 {
            if await answers() { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw Failure(
            description: "PostgreSQL did not start within a minute; see \(directory.appending(path: "postgres.log").path)")
    }

    private func answers() async -> Bool {
        guard FileManager.default.fileExists(atPath: "\(socketDirectory)/.s.PGSQL.5432") else { return false }
        var quiet = logger
        quiet.logLevel = .critical
        let pool = PostgresPool(
            configuration: PostgresConfiguration(url: url, applicationName: "reconciled-embedded"), size: 1, logger: quiet)
        let isThere: Bool
        do {
            _ = try await pool.execute(PostgresQuery(.sql("schema_exists")), deadline: .seconds(2))
            isThere = true
        } catch {
            isThere = false
        }
        await pool.close()
        return isThere
    }

    private func asServerUser(_ command: String, _ arguments: [String]) -> (FilePath, Arguments) {
        guard let serverUser else { return (FilePath(command), Arguments(arguments)) }
        let prefix = ["--reuid=\(serverUser)", "--regid=\(serverUser)", "--init-groups", command]
        return ("/usr/bin/setpriv", Arguments(prefix + arguments))
    }

    private func shell(_ script: String, _ argument: String) async throws {
        guard try await succeeds(("/bin/sh", Arguments(["-c", script, "sh", argument]))) else {
            throw Failure(description: "the directory \(argument) cannot be prepared")
        }
    }

    private func succeeds(_ command: (FilePath, Arguments)) async throws -> Bool {
        let record = try await Subprocess.run(
            .path(command.0), arguments: command.1, workingDirectory: "/", output: .discarded, error: .discarded)
        return record.terminationStatus.isSuccess
    }
}
