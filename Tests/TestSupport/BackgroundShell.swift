import Glibc
import Synchronization

/// A shell script beside a test, that is told lines on its standard input.
///
/// It must end by itself when that ends: then nothing it started outlives the test process, however that dies.
public final class BackgroundShell: Sendable {
    private let process: pid_t
    private let input: CInt

    // Pipes are made and marked close-on-exec in two steps; a child spawned in between would keep another's pipe open.
    private static let spawning = Mutex(())

    public init(script: String) throws {
        (process, input) = try Self.spawning.withLock { _ in
            // Writing to a script that ended is an error to report, not the end of the tests.
            signal(SIGPIPE, SIG_IGN)
            var ends: [CInt] = [0, 0]
            guard unsafe pipe(&ends) == 0 else { throw TestDatabaseError(description: "no pipe (errno \(errno))") }
            defer { close(ends[0]) }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            var actions = unsafe posix_spawn_file_actions_t()
            unsafe posix_spawn_file_actions_init(&actions)
            defer { unsafe posix_spawn_file_actions_destroy(&actions) }
            unsafe posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
            var attributes = posix_spawnattr_t()
            unsafe posix_spawnattr_init(&attributes)
            defer { unsafe posix_spawnattr_destroy(&attributes) }
            // Threads of the concurrency runtime block signals, and children would inherit that.
            var none = sigset_t()
            unsafe sigemptyset(&none)
            unsafe posix_spawnattr_setsigmask(&attributes, &none)
            unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
            let arguments: [UnsafeMutablePointer<CChar>?] = unsafe [strdup("sh"), strdup("-c"), strdup(script)]
            defer { unsafe arguments.forEach { unsafe free($0) } }
            var child = pid_t()
            let status = unsafe posix_spawn(&child, "/bin/sh", &actions, &attributes, arguments + [nil], environ)
            guard status == 0 else {
                close(ends[1])
                throw TestDatabaseError(description: "no shell (error \(status))")
            }
            return (child, ends[1])
        }
    }

    /// Has the script read one line.
    public func tell(_ line: String) {
        var text = line + "\n"
        text.withUTF8 { unsafe _ = write(input, $0.baseAddress, $0.count) }
    }

    /// Ends the script's input and waits for its end.
    public func end() async {
        close(input)
        var status: CInt = 0
        while unsafe waitpid(process, &status, WNOHANG) == 0 {
            do { try await Task.sleep(for: .milliseconds(5)) } catch { await Task.yield() }
        }
    }
}

/// Defines `as COMMAND…`, which runs a command as the user that PostgreSQL's programs accept.
let shellPreamble = """
    set -eu
    user=${RECONCILED_TEST_POSTGRES_USER:-$(id -un)}
    if [ "$(id -u)" = 0 ]; then
        as() { setpriv --reuid="$user" --regid="$user" --init-groups env HOME=/tmp "$@"; }
    else
        as() { "$@"; }
    fi
    dir=$(mktemp -d "${TMPDIR:-/tmp}/reconciled-test.XXXXXX")
    if [ "$(id -u)" = 0 ]; then chown "$user" "$dir"; fi
    cd "$dir"

    """

/// A port of 127.0.0.1 that was free a moment ago.
func freePort() throws -> UInt16 {
    let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
            unsafe bind(descriptor, generic, size) == 0 && getsockname(descriptor, generic, &size) == 0
        }
    }
    guard status else { throw TestDatabaseError(description: "no free port (errno \(errno))") }
    return UInt16(bigEndian: address.sin_port)
}
