/// A PostgreSQL server of one test, which may restart, freeze and break it.
public struct PrivateServer: Sendable {
    /// Of its database `postgres`, by TCP, as a superuser without a password.
    public let url: String
    public let port: UInt16
    let shell: BackgroundShell

    /// Runs a line of shell beside the server: `$bin`, `$dir/data` and `as` are at hand. Does not wait for it.
    public func tell(_ line: String) { shell.tell(line) }

    public func restart() { tell("as \"$bin/pg_ctl\" -D data -w -m fast -l log restart >/dev/null") }

    /// Stops every process of the server without a word, as a host that hangs does.
    public func freeze() {
        tell("kill -STOP $(head -n 1 data/postmaster.pid) $(pgrep -P $(head -n 1 data/postmaster.pid))")
    }
    public func thaw() {
        tell("kill -CONT $(head -n 1 data/postmaster.pid) $(pgrep -P $(head -n 1 data/postmaster.pid))")
    }
}

/// Runs `body` beside a server of its own. With `tls` it has a self-signed certificate; `hba` replaces pg_hba.conf.
public func withPrivateServer<T>(
    tls: Bool = false, hba: String = "host all all 127.0.0.1/32 trust",
    _ body: (PrivateServer) async throws -> T
) async throws -> T {
    let port = try freePort()
    let certificate = """
        as openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout data/server.key \
        -out data/server.crt >/dev/null 2>&1
        echo "ssl = on" >>data/postgresql.conf
        """
    let shell = try BackgroundShell(
        script: shellPreamble + """
            bin=${RECONCILED_TEST_POSTGRES_BIN:-$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)}
            as "$bin/initdb" -D data -U reconciled -A trust -E UTF8 --locale=C.UTF-8 --no-sync >initdb.log 2>&1
            cat >>data/postgresql.conf <<CONF
            port = \(port)
            listen_addresses = '127.0.0.1'
            unix_socket_directories = '$dir'
            fsync = off
            CONF
            cat >data/pg_hba.conf <<HBA
            \(hba)
            HBA
            \(tls ? certificate : "")
            as "$bin/pg_ctl" -D data -w -l log start >/dev/null
            while read -r line; do eval "$line" || true; done
            kill -CONT $(head -n 1 data/postmaster.pid) 2>/dev/null || true
            as "$bin/pg_ctl" -D data -m immediate stop >/dev/null 2>&1 || true
            cd /
            rm -rf "$dir"
            """)
    let outcome: Result<T, any Error>
    do {
        let url = "postgres://reconciled@127.0.0.1:\(port)/postgres"
        try await waitUntilConnectable(url)
        outcome = .success(try await body(PrivateServer(url: url, port: port, shell: shell)))
    } catch { outcome = .failure(error) }
    await shell.end()
    return try outcome.get()
}
