import Console
import Deliveries
import Logging
import Postgres
import PostgresStore
import Schema
import ServiceLifecycle
import Timeline

/// The parts of `reconciled run` under one configuration: the pollers of all watches, on one pool, one connection that
/// listens, and one set of metrics.
struct PollerProcess: Sendable {
    let configuration: Configuration
    private let watches: [any ServedWatch]
    private let identity: PollerIdentity
    private let logger: Logger
    private let pool: PostgresPool
    /// For the HTTP interface: what it makes due is news to the pollers, so its sessions do not carry their name. The
    /// pollers' own pool where there is but one connection.
    private let consolePool: PostgresPool
    private let listening: PostgresConfiguration
    private let outside: OutsideWorld
    let registry = MetricsRegistry()
    private let readiness: Readiness
    private let events: EventFeed
    private let migrates: Bool
    private let predecessor: String?
    private let startedAt = Moment.now

    /// Nobody waits longer for a page.
    private static let consoleStatementTimeout = Duration.seconds(10)
    private static let consoleLockTimeout = Duration.seconds(2)

    /// - Parameter predecessor: the id of the process before a reload, which this one takes the place of.
    init(configuration: Configuration, url: String, migrates: Bool, replacing predecessor: String?, logger: Logger) {
        self.configuration = configuration
        self.migrates = migrates
        self.predecessor = predecessor
        watches = Watch.allServed.map { $0.init(configuration) }
        let polled = watches.filter { !$0.lanes.isEmpty }
        readiness = Readiness(watches: polled.map(\.name))
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
        let size = configuration.database.poolSize
        // The rows come first: of the default four connections one is the HTTP interface's.
        let consoleSize = size == 1 ? 0 : max(1, size / 4)
        pool = PostgresPool(configuration: target, size: size - consoleSize, logger: logger)
        var consoleTarget = target
        consoleTarget.applicationName = "reconciled-console/\(identity.id)"
        consoleTarget.statementTimeout = isShared ? nil : Self.consoleStatementTimeout
        // A row that the application keeps locked delays nobody who asks about others.
        consoleTarget.lockTimeout = isShared ? nil : Self.consoleLockTimeout
        consolePool =
            consoleSize == 0 ? pool : PostgresPool(configuration: consoleTarget, size: consoleSize, logger: logger)
        events = EventFeed(
            tail: HistoryTail(pool: consolePool),
            nouns: Dictionary(uniqueKeysWithValues: Watch.allServed.map { ($0.name, $0.noun) }), logger: logger)
        listening = PostgresConfiguration(url: listenURL ?? url, applicationName: identity.applicationName)
        outside = OutsideWorld(checksMax: polled.map(\.settings.concurrency).max() ?? 1)
    }

    /// New with each configuration.
    var id: String { identity.id }

    /// The services' own lines are for their developers.
    var quietLogger: Logger {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        return quiet
    }

    /// HTTP first: a probe must be answered also while the database cannot be reached.
    var services: [any Service] { [consoleService, events, PollingService(process: self)] }

    /// The HTTP interface alone, beside pollers of other processes.
    func consoleServices(onRunning: @escaping @Sendable (Int) -> Void) -> [any Service] {
        var console = consoleService
        console.onRunning = onRunning
        return [console, events]
    }

    private var upkeep: Upkeep {
        Upkeep(
            pool: pool, registry: registry, readiness: readiness, watches: watches,
            endpoints: configuration.webhooks.map(\.endpoint), process: id, startedAt: startedAt, logger: logger)
    }

    private var consoleService: ConsoleService {
        let upkeep = upkeep
        return ConsoleService(
            http: configuration.http, registry: registry, readiness: readiness,
            refresh: ScrapeRefresh { await upkeep.refreshGauges() }, routes: routes, logger: logger)
    }

    var routes: [any ConsoleRoutes] {
        // The watches as the HTTP interface shows them.
        let faces = watches.map { $0.face(consolePool) }
        let registry = Registry(pool: consolePool)
        return [
            EventRoutes(feed: events, watches: watches.map(\.name)),
            Dashboard(
                watches: faces, registry: registry, samples: Samples(pool: consolePool),
                tokens: configuration.http.tokens),
            ConsoleAPI(watches: faces, registry: registry) { [watches, consolePool] in
                try await StatusReport(watches, pool: consolePool).json
            },
            NotifyRoutes(configuration.gateways, pool: consolePool, registry: self.registry),
        ]
    }

    func waitForDatabase() async throws {
        let (outbox, endpoints) = (Outbox(pool: pool), configuration.webhooks.map(\.endpoint))
        let (process, predecessor) = (id, predecessor)
        let gate = DatabaseGate(
            migrator: Migrator(pool: pool, logger: logger), migrates: migrates,
            announce: { try await outbox.register(endpoints, process: process, replacing: predecessor) },
            readiness: readiness, logger: logger)
        try await gate.pass()
    }

    /// Polls until shut down; the database has been reached.
    func poll() async throws {
        let listener = WakeupListener(configuration: listening, logger: logger)
        let surroundings = PollerSurroundings(
            pool: pool, identity: identity, listener: listener, outside: outside, registry: registry,
            readiness: readiness, metrics: EngineMetrics(registry: registry, readiness: readiness), logger: logger)
        // A watch without lanes costs nothing.
        let polled = watches.filter { !$0.lanes.isEmpty }
        if polled.isEmpty { logger.warning("no lane is configured: nothing will be checked") }
        for watch in polled {
            logger.notice(
                "polling",
                metadata: [
                    "version": "\(ProgramVersion.text)", "watch": "\(watch.name)",
                    "lanes": "\(watch.lanes.map(\.name).joined(separator: ","))",
                ])
        }
        let upkeep = upkeep
        let sampler = Sampler(
            pool: pool, watches: polled, metrics: surroundings.metrics, process: id, logger: logger)
        // Shut down from the end: the pollers settle while their wake-ups still come.
        var services: [any Service] = [PeriodicWork(every: Upkeep.interval) { await upkeep.run() }]
        services.append(PeriodicWork(every: Sampler.interval) { await sampler.run() })
        if polled.contains(where: \.settings.notify) { services.append(listener) }
        services.append(Pollers(pollers: polled.map { $0.poller(in: surroundings) }))
        try await ServiceGroup(services: services, logger: quietLogger).run()
        logger.notice("stopped")
    }

    func close() async {
        if configuration.database.poolSize > 1 { await consolePool.close() }
        await pool.close()
        do {
            try await outside.shutdown()
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
        } catch {
            // A statement that the shutdown cancelled fails in its own words.
            guard !Task.isShuttingDownGracefully, !(error is CancellationError) else { return }
            throw error
        }
        guard !Task.isShuttingDownGracefully else { return }
        try await process.poll()
    }
}
