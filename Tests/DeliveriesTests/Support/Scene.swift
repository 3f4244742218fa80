import Outgoing
import Postgres
import PostgresStore
import Reconciling
import Schema
import TestSupport
import Timeline

@testable import Deliveries

/// A database with deliveries, something that receives them, and pollers.
struct Scene: Sendable {
    static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    static let otherSecret = "whsec_c2VjcmV0LW9mLXRoaXJ0eS10d28tYnl0ZXMtMDAwMDE="

    let database: TestDatabase
    let sink: Sink
    let http: OutgoingClient

    static func with(_ body: @Sendable (Scene) async throws -> Void) async throws {
        try await Sink.with { sink in
            try await withTestDatabase { database in
                let scene = Scene(database: database, sink: sink, http: OutgoingClient())
                do {
                    try await body(scene)
                } catch {
                    try? await scene.http.shutdown()
                    throw error
                }
                try await scene.http.shutdown()
            }
        }
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

    func value(_ column: String, of id: Int = 1) async throws -> String? {
        try await text("SELECT (\(column))::text FROM reconciled.deliveries WHERE id = \(id)")
    }

    func isTrue(_ condition: String, of id: Int = 1) async throws -> Bool {
        try await value(condition, of: id) == "true"
    }

    /// How many deliveries that is so of.
    func count(_ condition: String) async throws -> Int {
        Int(try await text("SELECT count(*)::text FROM reconciled.deliveries WHERE \(condition)") ?? "") ?? -1
    }

    /// Writes an event as a settle does.
    func insert(_ id: Int = 1, subject: String = "orders/A-1", endpoint: String = "shop") async throws {
        try await run(
            """
            INSERT INTO reconciled.deliveries (id, endpoint, event_id, event_type, subject, payload)
            VALUES (\(id), '\(endpoint)', 'evt_\(id)', 'order.paid', '\(subject)', '{"type": "order.paid", "n": \(id)}')
            """)
    }

    func store(_ name: String = "p1") -> PostgresStore<DeliveryTable> {
        var identity = PollerIdentity(version: "test")
        identity.id = name
        return PostgresStore(
            pool: database.pool, listener: nil, poller: identity, recordsChecks: true, logger: testLogger)
    }

    /// - Parameter port: of this machine, in the place of the sink's.
    func endpoint(_ name: String = "shop", secrets: [String] = [secret], port: Int? = nil) -> Endpoint {
        let text = port.map { "http://127.0.0.1:\($0)/" } ?? "\(sink.url)/\(name)"
        guard let url = EndpointURL(text) else { preconditionFailure("\(text) is no URL") }
        return Endpoint(name: name, url: url, secrets: secrets.compactMap { WebhookSecret($0) })
    }

    static func lane(_ name: String) -> LaneConfiguration {
        LaneConfiguration(name: name, concurrency: 16, timeout: .seconds(5))
    }

    /// Runs a poller for the time of `body`.
    func withPoller<T: Sendable>(
        _ name: String = "p1", _ endpoints: [Endpoint]? = nil, _ body: @Sendable () async throws -> T
    ) async throws -> T {
        let endpoints = endpoints ?? [endpoint()]
        let poller = Poller(
            configuration: PollerConfiguration(
                watch: "deliveries", poll: .milliseconds(20), sweep: .milliseconds(100),
                lanes: endpoints.map { Self.lane($0.name) }),
            store: store(name), reconciler: DeliveryReconciler(endpoints: endpoints, http: http), logger: testLogger)
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

    /// One check of one delivery, as `check` does it by hand.
    @discardableResult
    func check(_ id: Int = 1, isDryRun: Bool = false) async throws -> OneCheck<DeliveryChange> {
        var identity = PollerIdentity(version: "test")
        identity.id = "hand"
        let desk = desk
        let sentAt = Moment.now
        let claimed =
            isDryRun
            ? try await desk.read("\(id)") : try await desk.claim("\(id)", poller: identity, lease: .seconds(60))
        guard let claim = claimed else { throw TestDatabaseError(description: "\(id) could not be claimed") }
        return try await reconcileOnce(
            claim, sentAt: sentAt, lease: .seconds(60), lane: Self.lane("shop"), store: store("hand"),
            reconciler: DeliveryReconciler(endpoints: [endpoint()], http: http, spread: { 0.5 }), isDryRun: isDryRun)
    }

    var desk: WatchDesk<DeliveryTable> { WatchDesk(pool: database.pool, actor: "ann") }
}
