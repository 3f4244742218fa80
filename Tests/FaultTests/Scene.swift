import Foundation
import Postgres
import Synchronization
import TestSupport
import Testing

/// A database with orders, a gateway that knows the truth about them, and as many pollers as the test starts.
final class Scene: Sendable {
    let url: String
    let pool: PostgresPool
    let gateway: TruthGateway
    private let folder: URL
    /// What the gateway knows, by order.
    private let truths: Mutex<[String: TruthGateway.Truth]> = Mutex([:])

    init(url: String, pool: PostgresPool, gateway: TruthGateway, folder: URL) {
        self.url = url
        self.pool = pool
        self.gateway = gateway
        self.folder = folder
    }

    /// Adds an order that is due now and about which the gateway knows `truth`.
    func add(id: String, _ truth: TruthGateway.Truth) async throws {
        gateway.set(id, truth)
        truths.withLock { $0[id] = truth }
        let insert = Statement(
            name: "",
            text: """
                INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, next_check_at)
                VALUES ($1, 'truth', 77, 'EUR', now())
                """)
        _ = try await pool.execute(PostgresQuery(insert, [.text(id)]))
    }

    /// Starts `reconciled run` with short leases on this database.
    ///
    /// - Parameter bouncer: a PgBouncer's URL to go through.
    func startPoller(through bouncer: String? = nil) throws -> Program {
        let name = UUID().uuidString
        let file = folder.appending(path: "\(name).yaml")
        let listenUrl = bouncer == nil ? "null" : "\"\(url)\""
        let text = """
            database: { url: "\(bouncer ?? url)", listenUrl: \(listenUrl), poolSize: 4 }
            http: { host: 127.0.0.1, port: 0 }
            watches:
              orders: { concurrency: 64, batch: 50, lease: 2s, poll: 100ms }
            gateways:
            \(gateway.configuration(name: "truth"))
            """
        try text.write(to: file, atomically: true, encoding: .utf8)
        return try Program(["run", "--config", file.path], log: folder.appending(path: "\(name).log"))
    }

    /// Stops a poller by SIGTERM; it must leave with exit code 0.
    func stop(_ poller: Program) throws {
        poller.send(SIGTERM)
        let status = poller.wait()
        #expect(status == 0, "\(poller.output)")
    }

    func count(_ sql: String) async throws -> Int64 {
        try await pool.query(PostgresQuery(Statement(name: "", text: sql))) { rows in
            try rows.first { row in try row.read(Int64.self) } ?? 0
        }
    }

    /// When the server started, in microseconds.
    func serverStart() async throws -> Int64 {
        try await count("SELECT (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint")
    }

    func leasedCount() async throws -> Int64 {
        try await count("SELECT count(*) FROM reconciled.orders WHERE lease_expires_at > now()")
    }

    func terminateBackends() async throws -> Int64 {
        try await count(
            """
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE application_name LIKE 'reconciled/%' AND datname = current_database()
            """)
    }

    /// The application decides about some orders that are under check: a third paid by its webhook, the others cancelled.
    /// Returns how many it wrote.
    func raceWebhooks() async throws -> Int {
        let sql = """
            WITH raced AS (
                UPDATE reconciled.orders AS o
                SET status = CASE WHEN hashtext(o.id) % 3 = 0 THEN 'paid' ELSE 'cancelled' END,
                    metadata = '{"by": "webhook"}'
                WHERE o.id IN (
                    SELECT id FROM reconciled.orders
                    WHERE lease_expires_at > now() AND status = 'pending' AND metadata = '{}'
                    ORDER BY random() LIMIT 5 FOR UPDATE SKIP LOCKED
                )
                RETURNING o.id
            )
            SELECT count(*) FROM raced
            """
        return Int(try await count(sql))
    }

    /// Every history entry and every order as text: what must not change once it is right.
    func ledger() async throws -> [String] {
        let sql = """
            SELECT concat_ws(' ', row_id, poller, verdict, status_before, status_after, reason) FROM reconciled.history
            UNION ALL
            SELECT concat_ws(' ', id, status, paid_at, gateway_txn_id, check_count) FROM reconciled.orders
            ORDER BY 1
            """
        return try await pool.query(PostgresQuery(Statement(name: "", text: sql))) { rows in
            try rows.map { row in try row.read(String.self) }
        }
    }

    private struct Row {
        var id: String
        var status: String
        var reason: String?
        var txn: String?
        var isWebhook: Bool
        var changes: Int64
        var proofs: Int64
    }

    private func rows() async throws -> [Row] {
        let sql = """
            SELECT o.id, o.status, o.review_reason, o.gateway_txn_id, o.metadata <> '{}',
                (SELECT count(*) FROM reconciled.history AS h
                 WHERE h.row_id = o.id AND h.status_before <> h.status_after),
                (SELECT count(*) FROM reconciled.history AS h
                 WHERE h.row_id = o.id AND h.status_after = 'paid' AND h.status_before <> 'paid'
                    AND h.answer ->> 'state' = 'PAID')
            FROM reconciled.orders AS o
            WHERE o.next_check_at IS NULL
            """
        return try await pool.query(PostgresQuery(Statement(name: "", text: sql))) { rows in
            try rows.map { row in
                Row(
                    id: try row.read(), status: try row.read(), reason: try row.readOptional(),
                    txn: try row.readOptional(), isWebhook: try row.read(), changes: try row.read(),
                    proofs: try row.read())
            }
        }
    }

    /// Waits until every order rests, then compares each with the gateway's truth.
    func everyOrderIsWhereItsTruthSays() async throws {
        let truths = truths.withLock { $0 }
        try await eventually("every order is at rest", within: .seconds(90)) {
            try await self.rows().count == truths.count
        }
        for row in try await rows() {
            let truth = try #require(truths[row.id])
            let isPaidThere = truth.status == "paid"
            let matches = truth.amount == 77 && truth.currency == "EUR"
            switch (row.isWebhook, row.status) {
            case (true, "paid"):
                // The webhook's word stood; nothing was written over it.
                #expect(row.changes == 0, "\(row)")
            case (true, "review"):
                #expect(isPaidThere && row.reason == "PAID_LATE" && row.changes == 1, "\(row)")
            case (true, "cancelled"):
                #expect(!isPaidThere && row.changes == 0, "\(row)")
            case (false, "paid"):
                #expect(isPaidThere && matches && row.changes == 1 && row.proofs == 1, "\(row)")
                #expect(row.txn == "txn-\(row.id)")
            case (false, "closed"):
                #expect(truth.status == "void" && row.changes == 1, "\(row)")
            case (false, "review"):
                #expect(isPaidThere && !matches && row.reason == "AMOUNT_MISMATCH" && row.changes == 1, "\(row)")
            default:
                Issue.record("an order nobody can explain: \(row)")
            }
        }
    }
}

/// Runs `body` with a scene of so many orders in `database`: most paid at the gateway, some void, some paid with another
/// amount.
func withScene(
    orders: Int, latency: Duration, in database: TestDatabase, _ body: (Scene) async throws -> Void
) async throws {
    try await withScene(orders: orders, latency: latency, url: database.url, pool: database.pool, body)
}

/// The same on a database of its own on the tests' server.
func withScene(orders: Int, latency: Duration, _ body: (Scene) async throws -> Void) async throws {
    try await withTestDatabase { database in
        try await withScene(orders: orders, latency: latency, in: database, body)
    }
}

func withScene(
    orders: Int, latency: Duration, url: String, pool: PostgresPool, _ body: (Scene) async throws -> Void
) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "reconciled-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let gateway = TruthGateway(latency: latency)
    let scene = Scene(url: url, pool: pool, gateway: gateway, folder: folder)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await gateway.run() }
        try await eventually("the gateway listens") { gateway.boundPort != nil }
        for number in 0..<orders {
            let truth: TruthGateway.Truth =
                switch number % 10 {
                case 8: .init(status: "void", amount: 77)
                case 9: .init(status: "paid", amount: 78)
                default: .init(status: "paid", amount: 77)
                }
            try await scene.add(id: "order-\(number)", truth)
        }
        try await body(scene)
        group.cancelAll()
    }
}
