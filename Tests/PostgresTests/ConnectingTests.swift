import Glibc
import TestSupport
import Testing

@testable import Postgres

@Suite(.timeLimit(.minutes(2))) struct ConnectingTests {
    private func answers(_ pool: PostgresPool) async throws {
        let one: Int = try await pool.value(sql("SELECT 1"))
        #expect(one == 1)
    }

    @Test func theSessionIsSetUp() async throws {
        try await withTestDatabase(migrated: false) { database in
            var configuration = PostgresConfiguration(url: database.url, applicationName: "reconciled/seven")
            configuration.statementTimeout = .seconds(7)
            let pool = PostgresPool(configuration: configuration, size: 1, logger: testLogger)
            try await withPool(pool) { pool in
                let settings = try await pool.query(
                    sql(
                        """
                        SELECT current_setting('application_name'), current_setting('client_encoding'),
                            current_setting('statement_timeout')
                        """)
                ) { try $0.first { try [$0.read(String.self), $0.read(String.self), $0.read(String.self)] } }
                #expect(settings == ["reconciled/seven", "UTF8", "7s"])
            }
        }
    }

    @Test func theServersOwnTimeoutIsTransient() async throws {
        try await withTestDatabase(migrated: false) { database in
            var configuration = PostgresConfiguration(url: database.url, applicationName: "timeout")
            configuration.statementTimeout = .milliseconds(50)
            try await withPool(PostgresPool(configuration: configuration, size: 1, logger: testLogger)) { pool in
                let error = try await failure { try await pool.execute(sql("SELECT pg_sleep(30)")) }
                #expect(error.sqlState == "57014" && error.classification == .transient)
            }
        }
    }

    @Test func keywordsWorkToo() async throws {
        try await withTestDatabase(migrated: false) { database in
            let target = try ConnectionTarget(PostgresConfiguration(url: database.url, applicationName: "x"))
            let options = target.attempts[0]
            let text = "host=\(options["host"]!) port=\(options["port"]!) user=reconciled dbname='\(database.name)'"
            try await withPool(makePool(text)) { try await answers($0) }
        }
    }

    @Test func aHostThatRefusesIsPassedOver() async throws {
        try await withTestDatabase(migrated: false) { database in
            let url = database.url.replacing("@", with: "@127.0.0.1:1,")
            try await withPool(makePool(url)) { try await answers($0) }
        }
    }

    /// A listening socket that never answers, as a host that hangs looks to its clients.
    @Test func aHostThatHangsIsPassedOver() async throws {
        try await withSilentPort { port in
            try await withTestDatabase(migrated: false) { database in
                let url = database.url.replacing("@", with: "@127.0.0.1:\(port),")
                try await withPool(makePool(url, connectTimeout: .seconds(2))) { try await answers($0) }
            }
            let late = try await connectFailure("postgres://127.0.0.1:\(port)/x", deadline: .milliseconds(100))
            #expect(late.code == .deadline)
            #expect(late.description.contains("connecting"))
        }
    }

    @Test func severalHostsMeanTheOneThatWrites() throws {
        func attempts(_ url: String) throws -> [[String: String]] {
            try ConnectionTarget(PostgresConfiguration(url: url, applicationName: "x")).attempts
        }
        let two = try attempts("postgres://u@a:1,b:2/d")
        #expect(two.map { $0["host"] } == ["a", "b"] && two.map { $0["port"] } == ["1", "2"])
        #expect(two.allSatisfy { $0["target_session_attrs"] == "read-write" })
        #expect(try attempts("postgres://a,b/d?target_session_attrs=any")[1]["target_session_attrs"] == "any")
        #expect(try attempts("host=a,b port=5433").map { $0["port"] } == ["5433", "5433"])
        #expect(try attempts("host=a,b target_session_attrs=prefer-standby").count == 1)
        let one = try attempts("postgres://u@a/d?tcp_user_timeout=7&application_name=theirs")
        #expect(one.count == 1 && one[0]["target_session_attrs"] == nil)
        #expect(one[0]["tcp_user_timeout"] == "7", "the URL's own settings win over defaults")
        #expect(one[0]["application_name"] == "x")
    }

    @Test func anUnreachableServerIsTransient() async throws {
        let error = try await connectFailure("postgres://127.0.0.1:1/x")
        #expect(error.code == .connection && error.classification == .transient)
        #expect(error.message.contains("127.0.0.1") && error.message.contains("refused"))
    }

    @Test(arguments: [
        "postgres://u:hunter22@127.0.0.1:1/x", "postgres://u:hun@ter22@127.0.0.1:1/x",
        "postgres://u:hun/ter22@127.0.0.1/x",
        "postgres://u:hunter22@127.0.0.1:1/x?nonsense=hunter22", "postgres://u:hunter22@127.0.0.1:port/x",
        "host=127.0.0.1 port=1 password=hunter22 x", "host=127.0.0.1 port=1 password='hunter22", "hunter22",
        "postgres://u:hunter22%00@127.0.0.1/x", "postgres://u:hunter22@[127.0.0.1/x", "postgres://u:hunter22\0@h/x",
        "host=127.0.0.1 port=1 password=hunter22 sslmode=hunter22", "postgres://u:hun%ter22@127.0.0.1:1/x",
    ])
    func passwordsAreNeverShown(url: String) async throws {
        let error = try await connectFailure(url)
        let configuration = PostgresConfiguration(url: url, applicationName: "x")
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in [
            "\(error)", String(reflecting: error), "\(configuration)", String(reflecting: configuration), dumped,
        ] {
            #expect(!text.contains("hunter22") && !text.contains("ter22"))
        }
    }
}

/// Runs `body` with a port that accepts connections and then says nothing.
private func withSilentPort(_ body: (UInt16) async throws -> Void) async throws {
    let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
            unsafe bind(descriptor, generic, size) == 0 && getsockname(descriptor, generic, &size) == 0
        }
    }
    try #require(isBound && listen(descriptor, 8) == 0)
    try await body(UInt16(bigEndian: address.sin_port))
}
