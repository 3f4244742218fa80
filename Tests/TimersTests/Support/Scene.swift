import Outgoing
import Postgres
import PostgresStore
import Reconciling
import Schema
import TestSupport
import Timeline

@testable import Timers

/// A database with timers, something for them to call, and pollers.
struct Scene: Sendable {
    let database: TestDatabase
    let sink: Sink
    let http: OutgoingClient
    /// Refuses what is not of the public Internet.
    let publicHTTP: OutgoingClient

    static func with(_ body: @Sendable (Scene) async throws -> Void) async throws {
        try await Sink.with { sink in
            try await withTestDatabase { database in
                let scene = Scene(
                    database: database, sink: sink, http: OutgoingClient(),
                    publicHTTP: OutgoingClient(peers: .publicOnly))
                do {
                    try await body(scene)
                } catch {
                    try? await scene.shutdown()
                    throw error
                }
                try await scene.shutdown()
            }
        }
    }

    private func shutdown() async throws {
        try await http.shutdown()
        try await publicHTTP.shutdown()
    }

    /// Runs a statement as an application does.
    func run(_ sql: String) async throws {
        try await database.pool.execute(PostgresQuery(Statement(name: "", text: sql)))
    }

    /// One value of one row, as text.
    func text(_ sql: String) async throws -> String? {
        try await database.pool.query(PostgresQuery(Statement(name: "", text: sql))) { rows in
            try rows.first { row in try row.readOptional(String.self) } ?? nil
        }
    }

    func value(_ column: String, of id: String = "t") async throws -> String? {
        try await text("SELECT (\(column))::text FROM reconciled.timers WHERE id = '\(id)'")
    }

    func timestamp(_ column: String, of id: String = "t") async throws -> Timestamp? {
        let statement = Statement(name: "", text: "SELECT \(column) FROM reconciled.timers WHERE id = '\(id)'")
        return try await database.pool.query(PostgresQuery(statement)) { rows in
            try rows.first { row in try row.readOptional(Timestamp.self) } ?? nil
        }
    }

    func store(_ name: String = "p1") -> PostgresStore<TimerTable> {
        var identity = PollerIdentity(version: "test")
        identity.id = name
        return PostgresStore(
            pool: database.pool, listener: nil, poller: identity, recordsChecks: true, logger: testLogger)
    }

    func reconciler(_ targets: TargetPolicy = .everywhere) -> TimerReconciler {
        TimerReconciler(caller: TimerCaller(targets: targets, http: http, publicHTTP: publicHTTP))
    }

    static let lane = LaneConfiguration(name: "timers", concurrency: 64, timeout: .seconds(5))

    /// Runs a poller for the time of `body`; it dies with it as by kill -9, but for its connections.
    func withPoller<T: Sendable>(
        _ name: String = "p1", targets: TargetPolicy = .everywhere, lease: Duration = .seconds(60),
        timeout: Duration = .seconds(5), _ body: @Sendable () async throws -> T
    ) async throws -> T {
        var lane = Self.lane
        lane.timeout = timeout
        let poller = Poller(
            configuration: PollerConfiguration(
                watch: "timers", lease: lease, poll: .milliseconds(20), sweep: .milliseconds(100), lanes: [lane]),
            store: store(name), reconciler: reconciler(targets), logger: testLogger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await poller.run() }
            do {
                let result = try await body()
                group.cancelAll()
                try? await group.waitForAll()
                return result
            } catch {
                group.cancelAll()
                throw error
            }
        }
    }

    /// One check of one timer, as `check` does it by hand.
    func check(_ id: String = "t", isDryRun: Bool = false) async throws -> OneCheck<TimerChange> {
        var identity = PollerIdentity(version: "test")
        identity.id = "hand"
        let desk = WatchDesk<TimerTable>(pool: database.pool, actor: "tester")
        let sentAt = Moment.now
        let claimed =
            isDryRun ? try await desk.read(id) : try await desk.claim(id, poller: identity, lease: .seconds(60))
        guard let claim = claimed else { throw TestDatabaseError(description: "\(id) could not be claimed") }
        return try await reconcileOnce(
            claim, sentAt: sentAt, lease: .seconds(60), lane: Self.lane, store: store("hand"),
            reconciler: reconciler(), isDryRun: isDryRun)
    }
}
