import Console
import Logging
import Outgoing
import Payments
import Postgres
import PostgresStore
import Reconciling
import Schema
import ServiceLifecycle

/// The parts of `reconciled run` under one configuration.
struct PollerProcess: Sendable {
    let configuration: Configuration
    private let identity: PollerIdentity
    private let logger: Logger
    private let pool: PostgresPool
    private let listening: PostgresConfiguration
    private let http: OutgoingClient
    private let registry = MetricsRegistry()
    private let readiness = Readiness(watches: [OrderTable.watch])
    private let migrates: Bool

    init(configuration: Configuration, url: String, migrates: Bool, logger: Logger) {
        self.configuration = configuration
        self.migrates = migrates
        identity = PollerIdentity(version: ProgramVersion.text)
        var logger = logger
        logger[metadataKey: "poller"] = "\(identity.id)"
        self.logger = logger
        let listenURL = configuration.database.listenURL?.value
        // A listenUrl says that url is a PgBouncer, which shares sessions among its clients.
        let isShared = listenURL != nil
        let target = PostgresConfiguration(
            url: url, applicationName: identity.applicationName, preparesStatements: !isShared,
            statementTimeout: isShared ? nil : .seconds(60))
        pool = PostgresPool(configuration: target, size: configuration.database.poolSize, logger: logger)
        listening = PostgresConfiguration(url: listenURL ?? url, applicationName: identity.applicationName)
        http = OutgoingClient(connectionsPerHostMax: configuration.watches.orders.concurrency)
    }

    /// The services' own lines are for their developers.
    var quietLogger: Logger {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        return quiet
    }

    /// HTTP first: a probe must be answered also while the database cannot be reached.
    var services: [any Service] { [consoleService, PollingService(process: self)] }

    private var consoleService: ConsoleService {
        let upkeep = Upkeep(
            pool: pool, registry: registry, readiness: readiness, lanes: lanes.map(\.name), logger: logger)
        return ConsoleService(
            http: configuration.http, registry: registry, readiness: readiness,
            refresh: ScrapeRefresh { await upkeep.refreshGauges() }, logger: logger)
    }

    private var lanes: [LaneConfiguration] { configuration.gateways.map(\.lane) }

    func waitForDatabase() async throws {
        let gate = DatabaseGate(
            migrator: Migrator(pool: pool, logger: logger), migrates: migrates, readiness: readiness, logger: logger)
        try await gate.pass()
    }

    /// Polls until shut down; the database has been reached.
    func poll() async throws {
        let orders = configuration.watches.orders
        let metrics = EngineMetrics(registry: registry, readiness: readiness)
        metrics.announce(watch: OrderTable.watch, lanes: lanes.map(\.name))
        let listener = WakeupListener(configuration: listening, logger: logger)
        let store = PostgresStore<OrderTable>(
            pool: pool, listener: orders.notify ? listener : nil, poller: identity.poller(of: OrderTable.watch),
            recordsChecks: orders.record == .all, logger: logger)
        let poller = Poller(
            configuration: PollerConfiguration(
                watch: OrderTable.watch, concurrency: orders.concurrency, batch: orders.batch, lease: orders.lease,
                poll: orders.poll, sweep: orders.sweep, lanes: lanes),
            store: ObservedStore(base: store, readiness: readiness),
            reconciler: OrderReconciler(gateways: configuration.gateways, http: http), observer: metrics,
            logger: logger)
        let upkeep = Upkeep(
            pool: pool, registry: registry, readiness: readiness, lanes: lanes.map(\.name), logger: logger)
        if lanes.isEmpty { logger.warning("no gateway is configured: nothing will be checked") }
        logger.notice(
            "polling",
            metadata: [
                "version": "\(ProgramVersion.text)", "watch": "\(OrderTable.watch)",
                "lanes": "\(lanes.map(\.name).joined(separator: ","))",
            ])
        // Shut down from the end: the poller settles while its wake-ups still come.
        var services: [any Service] = [PeriodicWork(every: Upkeep.interval) { await upkeep.run() }]
        if orders.notify { services.append(listener) }
        services.append(poller)
        try await ServiceGroup(services: services, logger: quietLogger).run()
        logger.notice("stopped")
    }

    func close() async {
        await pool.close()
        do {
            try await http.shutdown()
        } catch {
            logger.debug("the HTTP client did not shut down", metadata: ["error": "\(error)"])
        }
    }
}

/// Waits for the database, then polls.
private struct PollingService: Service {
    let process: PollerProcess

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await process.waitForDatabase() }
        } catch is CancellationError {
            return
        }
        guard !Task.isShuttingDownGracefully else { return }
        try await process.poll()
    }
}
