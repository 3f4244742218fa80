import Postgres
import PostgresStore
import Reconciling
import StoreConformance
import TestSupport
import Timeline

/// The real store on a database of its own.
final class PostgresHarness<Table: TableUnderTest>: StoreHarness {
    typealias S = PostgresStore<Table>

    static var statuses: StatusWords { Table.statuses }

    let database: TestDatabase
    /// An application's connection, with another name than pollers have.
    private let application: PostgresPool

    init(database: TestDatabase) {
        self.database = database
        application = database.makePool(size: 2, applicationName: "shop")
    }

    func close() async { await application.close() }

    func store(poller: String) async throws -> S {
        var identity = PollerIdentity(version: "test")
        identity.id = poller
        return PostgresStore(pool: database.pool, listener: nil, poller: identity, logger: testLogger)
    }

    func insert(_ row: NewRow) async throws {
        try await run(
            Table.insertion,
            [.text(row.id), .text(row.lane), .int4(Int32(row.claimCount)), .interval(row.dueIn)])
    }

    func columns(of id: String) async throws -> RowColumns {
        let sql = """
            SELECT \(Table.laneColumn), status, next_check_at - now(), check_count, failure_count, claim_count,
                lease_token, lease_expires_at IS NOT NULL, leased_by, progress, last_verdict, last_error,
                last_checked_at IS NOT NULL
            FROM reconciled.\(Table.watch) WHERE id::text = $1
            """
        let columns = try await application.query(query(sql, [.text(id)])) { rows in
            try rows.first { row in
                RowColumns(
                    lane: try row.read(), status: try row.read(), nextCheckIn: try row.readOptional(),
                    checkCount: try row.read(), failureCount: try row.read(), claimCount: try row.read(),
                    leaseToken: try row.readOptional(), isLeaseExpirySet: try row.read(),
                    leasedBy: try row.readOptional(), progress: try row.readOptional(),
                    lastVerdict: try row.readOptional(), lastError: try row.readOptional(),
                    isLastCheckedAtSet: try row.read())
            }
        }
        guard let columns else { throw TestDatabaseError(description: "no row \(id)") }
        return columns
    }

    func history(of id: String) async throws -> [HistoryEntry] {
        let sql = "SELECT verdict, status_before, status_after FROM reconciled.history WHERE row_id = $1 ORDER BY id"
        return try await application.query(query(sql, [.text(id)])) { rows in
            try rows.map { row in
                HistoryEntry(verdict: try row.read(), statusBefore: try row.read(), statusAfter: try row.read())
            }
        }
    }

    func remove(_ id: String) async throws {
        try await run("DELETE FROM reconciled.\(Table.watch) WHERE id::text = $1", [.text(id)])
    }

    func setStatus(of id: String, to status: String) async throws {
        try await run(
            "UPDATE reconciled.\(Table.watch) SET status = $2 WHERE id::text = $1", [.text(id), .text(status)])
    }

    func setLane(of id: String, to lane: String) async throws {
        try await run(
            "UPDATE reconciled.\(Table.watch) SET \(Table.laneColumn) = $2 WHERE id::text = $1",
            [.text(id), .text(lane)])
    }

    func setNextCheck(of id: String, in delay: Duration?) async throws {
        try await run(
            "UPDATE reconciled.\(Table.watch) SET next_check_at = now() + $2 WHERE id::text = $1",
            [.text(id), .interval(delay)])
    }

    /// The lock is held by another session's open transaction, kept open by a second client until `body` is done.
    func whileLocked(_ id: String, _ body: @Sendable () async throws -> Void) async throws {
        try await whileOpen("SELECT 1 FROM reconciled.\(Table.watch) WHERE id::text = $1 FOR UPDATE", [.text(id)], body)
    }

    /// Runs `body` while a transaction that ran this statement is open; it is committed afterwards.
    func whileOpen(
        _ sql: String, _ parameters: [PostgresParameter], _ body: () async throws -> Void
    ) async throws {
        let (isLocked, locked) = AsyncStream.makeStream(of: Void.self)
        let isDone = Flag()
        let opening = query(sql, parameters)
        try await withThrowingTaskGroup(of: Void.self) { group in
            let tick = query("SELECT pg_sleep(0.005)", [])
            group.addTask { [application] in
                defer { locked.finish() }
                try await application.withTransaction { transaction in
                    _ = try transaction.query(opening) { rows in rows.count }
                    locked.yield()
                    while !isDone.isSet { _ = try transaction.query(tick) { rows in rows.count } }
                }
            }
            for await _ in isLocked { break }
            do {
                try await body()
                isDone.set()
            } catch {
                isDone.set()
                throw error
            }
            try await group.waitForAll()
        }
    }

    func pauseByPerson(lane: String, name: String, reason: String) async throws {
        try await Registry(pool: application).pause(lane: lane, by: name, reason: reason)
    }

    /// Moves every stored time back, as if so much time had passed.
    func elapse(_ duration: Duration) async throws {
        let rows = """
            UPDATE reconciled.\(Table.watch) SET next_check_at = next_check_at - $1, lease_expires_at = lease_expires_at - $1,
                created_at = created_at - $1
            """
        let lanes = """
            UPDATE reconciled.lanes SET paused_at = paused_at - $1, probe_at = probe_at - $1,
                hold_until = hold_until - $1, probed_due_at = probed_due_at - $1
            """
        try await run(rows, [.interval(duration)])
        try await run(lanes, [.interval(duration)])
    }

    func change(status: String) -> Table.Change { Table.change(status: status) }

    func refusedChange(for id: String) async throws -> Table.Change {
        if let preparation = Table.refusalPreparation { try await run(preparation, [.text(id)]) }
        return Table.refusedChange
    }

    private func query(_ sql: String, _ parameters: [PostgresParameter]) -> PostgresQuery {
        PostgresQuery(Statement(name: "", text: sql), parameters)
    }

    func run(_ sql: String, _ parameters: [PostgresParameter]) async throws {
        try await application.execute(query(sql, parameters))
    }
}

/// A new database and a harness on it.
func withHarness<Table: TableUnderTest>(
    _ table: Table.Type, _ body: (PostgresHarness<Table>) async throws -> Void
) async throws {
    try await withTestDatabase { database in
        let harness = PostgresHarness<Table>(database: database)
        do {
            try await body(harness)
        } catch {
            await harness.close()
            throw error
        }
        await harness.close()
    }
}
