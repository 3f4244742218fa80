import Postgres
import PostgresStore
import Reconciling
import Schema
import ServiceLifecycle
import Timeline

/// What all measurements need: pollers that run meanwhile, and tables that may be emptied.
extension Bench {
    /// Under a name that is no poller's: what those make due wakes nobody.
    func withPool<T: Sendable>(_ body: (PostgresPool) async throws -> T) async throws -> T {
        let pool = PostgresPool(
            configuration: PostgresConfiguration(url: url, applicationName: "reconciled-bench"), size: 2,
            logger: logger)
        do {
            let result = try await body(pool)
            await pool.close()
            return result
        } catch {
            await pool.close()
            throw error
        }
    }

    /// Runs one poller for each observer while `body` runs, each with its own connections.
    func withPollers<Table: WatchTable, Asker: Reconciler<Table.R, Table.Change>>(
        _ table: Table.Type, _ reconciler: Asker, lanes: [LaneConfiguration], observers: [BenchObserver],
        concurrency: Int = 256, recordsChecks: Bool = true, _ body: (PostgresPool) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            var groups: [ServiceGroup] = []
            var pools: [PostgresPool] = []
            for observer in observers {
                let identity = PollerIdentity(version: "bench")
                let target = PostgresConfiguration(url: url, applicationName: identity.applicationName)
                let pool = PostgresPool(configuration: target, size: 4, logger: logger)
                pools.append(pool)
                let listener = WakeupListener(configuration: target, logger: logger)
                let store = PostgresStore<Table>(
                    pool: pool, listener: listener, poller: identity, recordsChecks: recordsChecks, logger: logger)
                let poller = Poller(
                    configuration: PollerConfiguration(
                        watch: Table.watch, concurrency: concurrency, batch: batch, lanes: lanes),
                    store: store, reconciler: reconciler, observer: observer, logger: logger)
                let services = ServiceGroup(services: [listener, poller], logger: logger)
                groups.append(services)
                group.addTask { try await services.run() }
            }
            do {
                try await withPool(body)
            } catch {
                group.cancelAll()
                throw error
            }
            for services in groups { await services.triggerGracefulShutdown() }
            try await group.waitForAll()
            for pool in pools { await pool.close() }
        }
    }

    func empty(_ pool: PostgresPool) async throws {
        let query = PostgresQuery(.sql("bench_may_empty"), [.text(Self.idPrefix)])
        let mayEmpty = try await pool.query(query) { rows in try rows.first { row in try row.read(Bool.self) } }
        guard mayEmpty == true else {
            throw Failure(description: "the database holds rows of its own; bench needs one that it may empty")
        }
        try await pool.execute(PostgresQuery(.sql("bench_empty")))
    }

    /// Looks every few milliseconds until `condition` holds.
    static func poll(for limit: Duration, _ what: String, until condition: () -> Bool) async throws {
        let deadline = Moment.now + limit
        while !condition() {
            guard Moment.now < deadline else { throw Failure(description: "\(what) did not end in time") }
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}
