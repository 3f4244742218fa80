import Glibc
import Synchronization

/// A process that we start and wait for.
final class ChildProcess: Sendable {
    let processID: pid_t
    private let status = Mutex<Int32?>(nil)

    /// Starts a program.
    ///
    /// With posix_spawn and an empty signal mask: from a thread of Swift's pool a child would inherit blocked signals and
    /// could not be stopped.
    ///
    /// - Parameters:
    ///   - words: an absolute path, or a name to be found by PATH, and its arguments.
    ///   - input: what it reads; nothing if nil.
    ///   - inherited: stays open in it, as descriptor 4.
    ///   - output: a file that its output is appended to; thrown away if nil.
    init(
        _ words: [String], input: Int32? = nil, inherited: Int32? = nil, output: String? = nil,
        startsSession: Bool = false
    ) throws {
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        // SIGPIPE is ignored here; a shell would hand that on to everything it starts.
        var defaults = sigset_t()
        unsafe sigemptyset(&defaults)
        unsafe sigaddset(&defaults, SIGPIPE)
        unsafe posix_spawnattr_setsigdefault(&attributes, &defaults)
        let session = startsSession ? 0x80 : 0  // POSIX_SPAWN_SETSID, which Glibc's module does not export
        unsafe posix_spawnattr_setflags(
            &attributes, Int16(Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF) | Int32(session)))

        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        if let input {
            unsafe posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        let flags = O_WRONLY | O_CREAT | O_APPEND
        unsafe posix_spawn_file_actions_addopen(&actions, 1, output ?? "/dev/null", flags, 0o600)
        unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
        if let inherited { unsafe posix_spawn_file_actions_adddup2(&actions, inherited, 4) }

        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe words.map { unsafe strdup($0) }
        unsafe arguments.append(nil)
        defer { for index in unsafe arguments.indices { unsafe free(arguments[index]) } }
        var child: pid_t = 0
        let error = unsafe posix_spawnp(&child, words[0], &actions, &attributes, arguments, environ)
        guard error == 0 else {
            throw CommandFailure("\(words[0]) cannot be started: \(unsafe String(cString: strerror(error)))")
        }
        processID = child
    }

    var isRunning: Bool { poll(blocking: false) == nil }

    /// Waits for the end; returns the exit code, or 128 + the signal. Blocks its thread.
    func wait() -> Int32 { poll(blocking: true) ?? 0 }

    private func poll(blocking: Bool) -> Int32? {
        status.withLock { status in
            if let status { return status }
            var raw: Int32 = 0
            var result: pid_t
            repeat {
                result = unsafe waitpid(processID, &raw, blocking ? 0 : WNOHANG)
            } while result == -1 && errno == EINTR
            guard result != 0 else { return nil }
            status = raw & 0x7F == 0 ? (raw >> 8) & 0xFF : 128 + (raw & 0x7F)
            return status
        }
    }
}
