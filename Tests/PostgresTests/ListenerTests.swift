import Logging
import TestSupport
import Testing

@testable import Postgres

@Suite(.timeLimit(.minutes(1))) struct ListenerTests {
    private func withListener(
        _ database: TestDatabase, channels: [String], silenceMax: Duration = .seconds(30),
        _ body: (PostgresListener) async throws -> Void
    ) async throws {
        let listener = PostgresListener(
            configuration: PostgresConfiguration(url: database.url, applicationName: "listening"), channels: channels,
            logger: testLogger, silenceMax: silenceMax)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await listener.run() }
            try await body(listener)
            group.cancelAll()
        }
    }

    @Test func notificationsArrive() async throws {
        try await withTestDatabase(migrated: false) { database in
            try await withListener(database, channels: ["orders", "odd \"name\""]) { listener in
                #expect(await listener.next() == .listening)
                try await database.pool.execute(sql("SELECT pg_notify('orders', 'due')"))
                #expect(await listener.next() == .notification(channel: "orders", payload: "due"))
                try await database.pool.execute(sql("SELECT pg_notify('odd \"name\"', 'ö')"))
                #expect(await listener.next() == .notification(channel: "odd \"name\"", payload: "ö"))
            }
        }
    }

    @Test func aKilledBackendIsReplaced() async throws {
        try await withTestDatabase(migrated: false) { database in
            try await withListener(database, channels: ["orders"]) { listener in
                for round in 0..<3 {
                    #expect(await listener.next() == .listening)
                    try await database.pool.execute(sql("SELECT pg_notify('orders', '\(round)')"))
                    #expect(await listener.next() == .notification(channel: "orders", payload: "\(round)"))
                    let killed = try await database.pool.value(
                        sql(
                            """
                            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                            WHERE datname = $1 AND application_name = 'listening'
                            """, [.text(database.name)]), as: Int.self)
                    #expect(killed == 1)
                }
                #expect(await listener.next() == .listening)
            }
        }
    }

    @Test func silenceIsProbed() async throws {
        try await withTestDatabase(migrated: false) { database in
            try await withListener(database, channels: ["orders"], silenceMax: .milliseconds(50)) { listener in
                #expect(await listener.next() == .listening)
                try await eventually("the listener asks") {
                    try await database.pool.value(
                        sql(
                            "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = $1 AND query = 'SELECT 1'",
                            [.text(database.name)]))
                }
                try await database.pool.execute(sql("SELECT pg_notify('orders', 'x')"))
                #expect(await listener.next() == .notification(channel: "orders", payload: "x"))
            }
        }
    }

    @Test func anUnreachableServerIsTriedAgainUntilCancelled() async throws {
        let listener = PostgresListener(
            configuration: PostgresConfiguration(url: "postgres://127.0.0.1:1/x", applicationName: "x"),
            channels: ["a"],
            logger: testLogger)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await listener.run() }
            group.cancelAll()
        }
        #expect(await listener.next() == nil)
    }
}

extension PostgresListener {
    fileprivate func next() async -> PostgresListenerEvent? {
        for await event in events { return event }
        return nil
    }
}
