import Foundation
import Glibc
import Synchronization
import TestSupport

/// The real binary as a child process, to be killed, frozen and thawed. It ends with this: a test that fails leaves none
/// behind.
final class Program: Sendable {
    let processID: pid_t
    let log: URL
    /// Nobody waits for it any more: its number may be another's.
    private let isOver = Atomic(false)

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// Beside the test bundle.
    static let binary: URL = {
        let bundle = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        return bundle.deletingLastPathComponent().appending(path: "reconciled")
    }()

    /// Starts `reconciled ARGUMENTS…` with its output in `log`.
    ///
    /// - Parameter faults: options of strace, which then kills, freezes or delays the program at its system calls.
    ///   Its process is the program's all the same: strace is off to the side.
    ///
    /// By posix_spawn with an empty signal mask: a child of a cooperative thread would inherit blocked signals and ignore
    /// SIGTERM.
    init(_ arguments: [String], faults: [String] = [], log: URL) throws {
        self.log = log
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        let flags = O_WRONLY | O_CREAT | O_APPEND
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, log.path, flags, 0o600)
        unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)

        let tracer = faults.isEmpty ? [] : ["strace", "-D", "-f", "-qq"] + faults
        let command = tracer + [Self.binary.path] + arguments
        var words: [UnsafeMutablePointer<CChar>?] = unsafe command.map { unsafe strdup($0) }
        unsafe words.append(nil)
        defer { unsafe words.forEach { word in unsafe free(word) } }
        var child: pid_t = 0
        let status = unsafe posix_spawnp(&child, command[0], &actions, &attributes, words, environ)
        guard status == 0 else { throw Failure(description: "posix_spawnp failed with error \(status)") }
        processID = child
    }

    deinit { kill9() }

    func send(_ signal: Int32) { kill(processID, signal) }

    /// Waits for the end; returns the exit code, or 128 + the signal.
    @discardableResult
    func wait() -> Int32 {
        var status: Int32 = 0
        while unsafe waitpid(processID, &status, 0) == -1 && errno == EINTR {}
        isOver.store(true, ordering: .relaxed)
        return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
    }

    /// As `wait`, but a program that does not end is killed, and fails the test.
    func end(within limit: Duration = .seconds(30)) async throws -> Int32 {
        var status: Int32 = 0
        do {
            try await eventually("the program ends", within: limit) {
                unsafe waitpid(self.processID, &status, WNOHANG) != 0
            }
        } catch {
            kill9()
            throw Failure(description: "\(error)\n\(output)")
        }
        isOver.store(true, ordering: .relaxed)
        return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
    }

    func kill9() {
        guard !isOver.load(ordering: .relaxed) else { return }
        send(SIGKILL)
        wait()
    }

    func says(_ text: String, within limit: Duration = .seconds(30)) async throws {
        try await eventually("the program says “\(text)”", within: limit) { self.output.contains(text) }
    }

    var output: String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }
}
