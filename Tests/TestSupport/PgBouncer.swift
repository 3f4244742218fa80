import Postgres

/// Runs `body` with the URL of a PgBouncer in transaction mode before `database`, with two server connections.
public func withPgBouncer<T>(
    before database: TestDatabase, _ body: (_ url: String) async throws -> T
) async throws -> T {
    let port = try freePort()
    let (host, serverPort) = try await database.pool.query(
        PostgresQuery(Statement(name: "where", text: "SELECT host(inet_server_addr()), inet_server_port()"))
    ) { rows in try rows.first { try ($0.read(String.self), $0.read(Int.self)) } }!
    let shell = try BackgroundShell(
        script: shellPreamble + """
            cat >pgbouncer.ini <<INI
            [databases]
            * = host=\(host) port=\(serverPort) user=reconciled
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = \(port)
            unix_socket_dir =
            auth_type = any
            pool_mode = transaction
            default_pool_size = 2
            max_client_conn = 100
            logfile = $dir/pgbouncer.log
            pidfile = $dir/pgbouncer.pid
            INI
            as "$(command -v pgbouncer || echo /usr/sbin/pgbouncer)" -q pgbouncer.ini >/dev/null 2>&1 &
            cat >/dev/null
            kill "$(cat pgbouncer.pid)" || true
            wait || true
            rm -rf "$dir"
            """)
    let outcome: Result<T, any Error>
    do {
        let url = "postgres://reconciled@127.0.0.1:\(port)/\(database.name)"
        try await waitUntilConnectable(url)
        outcome = .success(try await body(url))
    } catch { outcome = .failure(error) }
    await shell.end()
    return try outcome.get()
}

/// Returns when a query goes through, for which a minute is given: a busy machine takes its time to start a server.
func waitUntilConnectable(_ url: String) async throws {
    let end = ContinuousClock.now + .seconds(60)
    while true {
        let pool = PostgresPool(
            configuration: PostgresConfiguration(
                url: url, applicationName: "reconciled/probe", preparesStatements: false),
            size: 1, logger: testLogger)
        let outcome: Result<Int, PostgresError>
        do throws(PostgresError) {
            outcome = .success(try await pool.execute(PostgresQuery(Statement(name: "probe", text: "SELECT 1"))))
        } catch { outcome = .failure(error) }
        await pool.close()
        if case .failure(let error) = outcome {
            guard ContinuousClock.now < end else { throw error }
            try await Task.sleep(for: .milliseconds(20))
        } else {
            return
        }
    }
}
