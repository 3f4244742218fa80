import Glibc

/// A running private server, as its owner holds it.
///
/// The owner's child is a watchdog, in a session of its own so that Ctrl-C at the terminal does not reach it: it starts
/// the server, and stops it when the pipe from the owner closes, be it by `stop` or by the owner's death.
final class EmbeddedServer: Sendable {
    private let watchdog: ChildProcess
    private let lifeline: FileDescriptorBox

    /// `$1` binaries, `$2` directory, `$3` socket's directory.
    private static let script = """
        exec 3<&0
        "$1/postgres" -D "$2/data" -k "$3" -c listen_addresses= -c port=5432 -c unix_socket_permissions=0700 \
            -c log_destination=stderr -c logging_collector=off </dev/null 3<&- &
        server=$!
        (
            read -r _ <&3
            trap '' TERM
            kill -INT "$server"
            left=300
            while kill -0 "$server"; do
                if [ "$left" = 0 ]; then kill -QUIT "$server"; fi
                left=$((left - 1))
                sleep 0.1
            done
        ) >/dev/null 2>&1 &
        reader=$!
        wait "$server"
        status=$?
        kill "$reader" 2>/dev/null
        wait "$reader" 2>/dev/null
        case $3 in /tmp/reconciled-*) rm -rf "$3" "$2/socket.path" ;; esac
        exit "$status"
        """

    /// - Parameter lock: passed on to the server, so that it is held until the last of its processes has ended.
    init(
        binaries: PostgresBinaries, account: ServerAccount, directory: String, socket: String, lock: FileLock
    ) throws {
        let (reading, writing) = try FileDescriptorBox.pipe()
        lifeline = writing
        let words = account.command(["/bin/sh", "-c", Self.script, "reconciled-watchdog"])
        watchdog = try ChildProcess(
            words + [binaries.folder, directory, socket], input: reading.descriptor, inherited: lock.descriptor,
            output: "\(directory)/postgres.log", startsSession: true)
    }

    var isRunning: Bool { watchdog.isRunning }

    /// Stops the server and returns when it has ended.
    ///
    /// Blocks its thread for the moment that this takes: it must happen also in a cancelled task, and nothing else runs.
    func stop() {
        lifeline.close()
        _ = watchdog.wait()
    }
}
