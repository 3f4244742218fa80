import Logging
import Synchronization
import TestSupport
import Testing

@testable import Postgres

/// What only a server of its own can show; one after the other, for each start of a server loads the machine.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ServerTests {
    @Test func aWrongPasswordIsNotShown() async throws {
        let hba = "host all locked 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust"
        try await withPrivateServer(hba: hba) { server in
            try await withPool(makePool(server.url)) {
                try await $0.execute(sql("CREATE ROLE locked LOGIN PASSWORD 'correct horse'"))
            }
            let error = try await connectFailure(server.url.replacing("reconciled@", with: "locked:hunter22@"))
            #expect(error.description.contains("password authentication failed"))
            #expect(!String(reflecting: error).contains("hunter22"))
            try await withPool(makePool(server.url.replacing("reconciled@", with: "locked:correct%20horse@"))) {
                let user = try await $0.value(sql("SELECT current_user"), as: String.self)
                #expect(user == "locked")
            }
        }
    }

    @Test func connectionsAreEncryptedWhenAsked() async throws {
        try await withPrivateServer(tls: true, hba: "hostssl all all 127.0.0.1/32 trust") { server in
            try await withPool(makePool("\(server.url)?sslmode=require")) { pool in
                let isEncrypted = try await pool.value(
                    sql("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"), as: Bool.self)
                #expect(isEncrypted)
                // Larger than TLS records and buffers, and interrupted: the paths that differ under TLS.
                let big = String(repeating: "b", count: 3_000_000)
                #expect(try await pool.value(sql("SELECT $1", [.text(big)])) == big)
                let late = try await failure {
                    try await pool.execute(sql("SELECT pg_sleep(30)"), deadline: .milliseconds(100))
                }
                #expect(late.code == .deadline)
            }
            let plain = try await connectFailure("\(server.url)?sslmode=disable")
            #expect(plain.message.contains("no encryption"))
            let unverified = try await connectFailure("\(server.url)?sslmode=verify-full&sslrootcert=/dev/null")
            #expect(unverified.code == .connection)
        }
    }

    @Test func aRestartedServerIsFoundAgain() async throws {
        try await withPrivateServer { server in
            let pool = makePool(server.url)
            try await withPool(pool) { pool in
                let started = sql("SELECT pg_postmaster_start_time()::text")
                let before = try await pool.value(started, as: String.self)
                server.restart()
                try await eventually("it is back", within: .seconds(20)) {
                    do {
                        return try await pool.value(started, as: String.self) != before
                    } catch let error as PostgresError {
                        #expect(error.classification == .transient, "\(error)")
                        return false
                    }
                }
            }
        }
    }

    /// A frozen server answers nothing, not even a cancel request: the caller's deadline holds all the same.
    @Test func aFrozenServerHoldsNobodyForLong() async throws {
        try await withPrivateServer { server in
            let pool = PostgresPool(
                configuration: PostgresConfiguration(
                    url: server.url, applicationName: "frozen", connectTimeout: .milliseconds(500)),
                size: 1, logger: testLogger)
            try await withPool(pool) { pool in
                try await pool.execute(sql("SELECT 1"))
                server.freeze()
                try await eventually("it answers no more", within: .seconds(20)) {
                    do {
                        try await pool.execute(sql("SELECT 1"), deadline: .milliseconds(200))
                        return false
                    } catch let error as PostgresError { return error.code == .deadline || error.code == .connection }
                }
                let again = try await failure { try await pool.execute(sql("SELECT 1"), deadline: .seconds(2)) }
                #expect(again.code == .connection || again.code == .deadline)
                server.thaw()
                try await eventually("it is back", within: .seconds(20)) {
                    do {
                        return try await pool.execute(sql("SELECT 1"), deadline: .seconds(2)) == 1
                    } catch { return false }
                }
            }
        }
    }

    /// Nothing arrives from a frozen server, not even the end of the connection: only the probe can tell.
    @Test func aListenerLeavesAFrozenServer() async throws {
        let log = MessageLog()
        try await withPrivateServer { server in
            let listener = PostgresListener(
                configuration: PostgresConfiguration(
                    url: server.url, applicationName: "listening", connectTimeout: .seconds(1)),
                channels: ["orders"], logger: Logger(label: "listener") { _ in log }, silenceMax: .milliseconds(100))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await listener.run() }
                for await event in listener.events where event == .listening { break }
                server.freeze()
                try await eventually("it notices") { log.messages.contains("database listener lost its connection") }
                server.thaw()
                for await event in listener.events where event == .listening { break }
                group.cancelAll()
            }
        }
    }
}

/// Keeps what is logged.
private struct MessageLog: LogHandler {
    private final class Storage: Sendable {
        let messages = Mutex<[String]>([])
    }

    private let storage = Storage()
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]

    var messages: [String] { storage.messages.withLock { $0 } }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        storage.messages.withLock { $0.append(event.message.description) }
    }
}
