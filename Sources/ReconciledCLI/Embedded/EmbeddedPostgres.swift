import Foundation
import Glibc
import Logging
import Timeline

/// A private PostgreSQL in a directory, from the system's binaries: started by the first process that wants it, and used by
/// any that come later while it runs. Nothing of it listens on a network: only the owner of the directory reaches its socket.
///
///     DIR/data           the cluster, kept
///     DIR/socket         the socket's directory (or a short one under /tmp, named in DIR/socket.path)
///     DIR/postgres.log   what the server says
///     DIR/lock           held by the server's processes for as long as one of them lives
///
/// The server ends with the process that started it, also when that is killed: a watchdog sees its pipe close.
struct EmbeddedPostgres: Sendable {
    /// Under the current directory; for root a place that the server's user can enter.
    static var defaultDirectory: String { geteuid() == 0 ? "/var/lib/reconciled" : ".reconciled" }
    static let user = "reconciled"
    static let logBytesMax = 16 << 20
    /// Starting after a crash replays what was written since the last checkpoint.
    static let startMax = Duration.seconds(120)

    let directory: String
    /// Whether a cluster is made where there is none.
    let makesCluster: Bool
    let logger: Logger

    /// - Parameter directory: relative to the current directory.
    init(directory: String, makesCluster: Bool, logger: Logger) {
        let absolute = URL(fileURLWithPath: directory).standardizedFileURL.path
        self.directory = absolute
        self.makesCluster = makesCluster
        self.logger = logger
    }

    /// Runs `body` with the configured database's address, or with that of a private server where `embedded` names one.
    ///
    /// - Parameter makesCluster: whether one is made there. Who only looks or acts wants one that is there: a new one would
    ///   hide that the directory is another than meant.
    static func withURL<T: Sendable>(
        _ database: DatabaseConfiguration, embedded directory: String?, makesCluster: Bool, logger: Logger,
        _ body: (_ url: String) async throws -> T
    ) async throws -> T {
        guard let directory else {
            guard let url = database.url else { throw DatabaseConfiguration.missing }
            return try await body(url.value)
        }
        guard !directory.isEmpty else {
            throw CommandFailure("--embedded names no directory", code: CommandFailure.badUsage)
        }
        return try await EmbeddedPostgres(directory: directory, makesCluster: makesCluster, logger: logger)
            .withServer(body)
    }

    /// Runs `body` while the server runs.
    func withServer<T: Sendable>(_ body: (_ url: String) async throws -> T) async throws -> T {
        let server = try await start()
        do {
            let result = try await body(url(socket: try socketDirectory()))
            server?.stop()
            return result
        } catch {
            server?.stop()
            throw error
        }
    }

    /// Starts the server, or nil where another process runs it already; either way it accepts connections on return.
    private func start() async throws -> EmbeddedServer? {
        let account = try ServerAccount.current()
        guard makesCluster || !isVacant else { throw missingCluster }
        try prepareDirectory(for: account)
        let deadline = Moment.now + Self.startMax
        while true {
            if let lock = try FileLock(path: "\(directory)/lock") {
                return try await launch(lock, account, deadline: deadline)
            }
            // Someone has it: running, starting, or about to end; in the last case the lock is ours next.
            if isReady(), accepts() {
                logger.info("using the PostgreSQL that runs in the directory", metadata: ["directory": "\(directory)"])
                return nil
            }
            try await wait(until: deadline, "another process holds \(directory) and its PostgreSQL does not answer")
        }
    }

    private func launch(_ lock: FileLock, _ account: ServerAccount, deadline: Moment) async throws -> EmbeddedServer {
        let binaries = try PostgresBinaries.find(forDataAt: "\(directory)/data")
        try initialise(binaries, account)
        let socket = try makeSocketDirectory(for: account)
        shortenLog()
        let before = try? String(contentsOfFile: pidFile, encoding: .utf8)
        let server = try EmbeddedServer(
            binaries: binaries, account: account, directory: directory, socket: socket, lock: lock)
        logger.info(
            "starting a private PostgreSQL",
            metadata: ["directory": "\(directory)", "version": "\(binaries.version)"])
        do {
            // What a crash left behind says "ready" too.
            while !(isReady() && (try? String(contentsOfFile: pidFile, encoding: .utf8)) != before) {
                guard server.isRunning else { throw failure("PostgreSQL did not start") }
                try await wait(until: deadline, "PostgreSQL did not start in time")
            }
        } catch {
            server.stop()
            throw error
        }
        return server
    }

    private func wait(until deadline: Moment, _ problem: String) async throws {
        guard Moment.now < deadline else { throw failure(problem) }
        try await Task.sleep(for: .milliseconds(20))
    }

    private func failure(_ problem: String) -> CommandFailure {
        let log = (try? String(contentsOfFile: "\(directory)/postgres.log", encoding: .utf8)) ?? ""
        let last = log.split(separator: "\n").suffix(3).joined(separator: "; ")
        return CommandFailure(problem + (last.isEmpty ? "" : "; \(directory)/postgres.log ends with: \(last)"))
    }

    /// Nobody else keeps the log from growing for ever.
    private func shortenLog() {
        let path = "\(directory)/postgres.log"
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
            let size = attributes[.size] as? Int, size > Self.logBytesMax
        else { return }
        unsafe truncate(path, 0)
    }

    private var pidFile: String { "\(directory)/data/postmaster.pid" }

    /// The server writes its state into the eighth line of its pid file.
    private func isReady() -> Bool {
        guard let text = try? String(contentsOfFile: pidFile, encoding: .utf8) else { return false }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.count >= 8 && lines[7].hasPrefix("ready")
    }

    private func accepts() -> Bool {
        guard let socket = try? socketDirectory() else { return false }
        return UnixSocket.accepts(path: "\(socket)/\(UnixSocket.postgresName)")
    }
}

extension EmbeddedPostgres {
    private func url(socket: String) -> String {
        // Every byte that a URI might understand differently is encoded; libpq decodes all of them.
        let encoded = socket.utf8.map { byte -> String in
            let isPlain = (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            let digits = String(byte, radix: 16, uppercase: true)
            return isPlain ? String(UnicodeScalar(byte)) : "%" + (digits.count == 1 ? "0" : "") + digits
        }.joined()
        return "postgres://\(Self.user)@/postgres?host=\(encoded)"
    }

    private func socketDirectory() throws -> String {
        if let named = try? String(contentsOfFile: "\(directory)/socket.path", encoding: .utf8) {
            return named.trimmingCharacters(in: .newlines)
        }
        return "\(directory)/socket"
    }

    /// Whether nothing is there at all, not even the beginning of a cluster.
    private var isVacant: Bool {
        let manager = FileManager.default
        guard manager.fileExists(atPath: directory) else { return true }
        return (try? manager.contentsOfDirectory(atPath: directory))?.isEmpty ?? false
    }

    private var missingCluster: CommandFailure {
        CommandFailure("there is no PostgreSQL in \(directory); reconciled run --embedded=DIR makes one")
    }

    private func prepareDirectory(for account: ServerAccount) throws {
        let manager = FileManager.default
        if let entries = try? manager.contentsOfDirectory(atPath: directory) {
            // A directory of the user's own must not be taken over, and as root given to another user.
            guard entries.isEmpty || entries.contains("lock") else {
                throw CommandFailure(
                    "\(directory) is not empty and holds no PostgreSQL of ours; choose another directory")
            }
        } else {
            do {
                try manager.createDirectory(
                    atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            } catch {
                throw CommandFailure("the directory \(directory) cannot be made")
            }
        }
        try account.own(directory)
        guard account.canEnter(directory) else {
            throw CommandFailure(
                "PostgreSQL does not run as root but as \(account.name), who cannot enter \(directory); "
                    + "choose a directory outside of a private one, such as --embedded /var/lib/reconciled")
        }
    }

    /// Makes the cluster under another name first: a process that is killed meanwhile leaves no half of one.
    private func initialise(_ binaries: PostgresBinaries, _ account: ServerAccount) throws {
        let manager = FileManager.default
        guard !manager.fileExists(atPath: "\(directory)/data") else { return }
        guard makesCluster else { throw missingCluster }
        let unfinished = "\(directory)/data.new"
        if manager.fileExists(atPath: unfinished) { try manager.removeItem(atPath: unfinished) }
        logger.info("making a private PostgreSQL", metadata: ["directory": "\(directory)"])
        let words = [
            "\(binaries.folder)/initdb", "-D", unfinished, "-U", Self.user, "-A", "trust", "-E", "UTF8",
            "--locale=C.UTF-8",
        ]
        let child = try ChildProcess(account.command(words), output: "\(directory)/postgres.log")
        guard child.wait() == 0 else { throw failure("initdb failed") }
        try manager.moveItem(atPath: unfinished, toPath: "\(directory)/data")
    }

    private func makeSocketDirectory(for account: ServerAccount) throws -> String {
        let named = "\(directory)/socket.path"
        if let left = try? socketDirectory(), left.hasPrefix("/tmp/reconciled-") {
            try? FileManager.default.removeItem(atPath: left)  // of a server that was killed with its watchdog
        }
        try? FileManager.default.removeItem(atPath: named)
        var socket = "\(directory)/socket"
        if !UnixSocket.fits("\(socket)/\(UnixSocket.postgresName)") {
            var template = ContiguousArray("/tmp/reconciled-XXXXXX".utf8CString)
            let isMade = unsafe template.withUnsafeMutableBufferPointer { buffer in
                guard let start = buffer.baseAddress else { return false }
                return unsafe mkdtemp(start) != nil
            }
            guard isMade else { throw CommandFailure("no directory can be made under /tmp") }
            socket = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
            try socket.write(toFile: named, atomically: true, encoding: .utf8)
        } else {
            try FileManager.default.createDirectory(atPath: socket, withIntermediateDirectories: true)
        }
        unsafe chmod(socket, 0o700)
        try account.own(socket)
        return socket
    }
}
