import Console
import Deliveries
import Logging
import Postgres
import PostgresStore
import Schema
import ServiceLifecycle
import Timeline

/// The parts of `reconciled run` under one configuration: the pollers of all watches, on one set of connections, one
/// connection that listens, and one set of metrics.
struct PollerProcess: Sendable {
    let configuration: Configuration
    private let watches: [any ServedWatch]
    private let identity: PollerIdentity
    private let logger: Logger
    let pools: ProcessPools
    private let listening: PostgresConfiguration
    private let outside: OutsideWorld
    let registry: MetricsRegistry
    private let metrics: EngineMetrics
    private let readiness: Readiness
    private let events: EventFeed
    private let migrates: Bool
    private let startedAt: Moment
    private let freePort: FreePort
    /// Brings one sampler, when the database was reached and the pollers are about to begin.
    fileprivate let samplers: AsyncStream<Sampler>
    private let sampling: AsyncStream<Sampler>.Continuation

    /// - Parameter predecessor: the process as it was before a reload. What outsiders know it by stays: its name, its port,
    ///   its counters, and its connections where their configuration did.
    init(
        configuration: Configuration, url: String, migrates: Bool, replacing predecessor: PollerProcess?, logger: Logger
    ) {
        self.configuration = configuration
        self.migrates = migrates
        watches = Watch.allServed.map { $0.init(configuration) }
        let polled = watches.filter { !$0.lanes.isEmpty }
        let identity = predecessor?.identity.successor ?? PollerIdentity(version: ProgramVersion.text)
        self.identity = identity
        var logger = logger
        logger[metadataKey: "poller"] = "\(identity.id)"
        self.logger = logger
        readiness = Readiness(watches: polled.map(\.name))
        registry = predecessor?.registry ?? MetricsRegistry()
        metrics = EngineMetrics(registry: registry, readiness: readiness)
        startedAt = predecessor?.startedAt ?? .now
        freePort = predecessor?.freePort ?? FreePort()
        if let kept = predecessor?.pools, kept.serve(url, configuration.database) {
            pools = kept
        } else {
            pools = ProcessPools(url: url, database: configuration.database, identity: identity, logger: logger)
        }
        events = EventFeed(
            tail: HistoryTail(pool: pools.console),
            nouns: Dictionary(uniqueKeysWithValues: Watch.allServed.map { ($0.name, $0.noun) }), logger: logger)
        listening = PostgresConfiguration(
            url: configuration.database.listenURL?.value ?? url, applicationName: identity.applicationName)
        outside = OutsideWorld(checksMax: polled.map(\.settings.concurrency).max() ?? 1)
        (samplers, sampling) = AsyncStream.makeStream(of: Sampler.self)
    }

    /// The process's, whatever its configuration.
    var id: String { identity.id }

    /// The services' own lines are for their developers.
    var quietLogger: Logger {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        return quiet
    }

    /// What only one configuration at a time may have: the port, and the work that is done for the whole process.
    var front: [any Service] { [consoleService, events, UpkeepService(process: self)] }

    /// The pollers: those that finish under an old configuration run beside those of the new one.
    var pollers: [any Service] { [PollingService(process: self)] }

    /// The HTTP interface alone, beside pollers of other processes.
    func consoleServices(onRunning: @escaping @Sendable (Int) -> Void) -> [any Service] {
        var console = consoleService
        console.onRunning = onRunning
        return [console, events]
    }

    private var upkeep: Upkeep {
        Upkeep(
            pool: pools.rows, registry: registry, readiness: readiness, watches: watches,
            endpoints: configuration.webhooks.map(\.endpoint), process: id, startedAt: startedAt, logger: logger)
    }

    private var consoleService: ConsoleService {
        let upkeep = upkeep
        return ConsoleService(
            http: configuration.http, freePort: freePort, registry: registry, readiness: readiness,
            refresh: ScrapeRefresh { await upkeep.refreshGauges() }, routes: routes, logger: logger)
    }

    var routes: [any ConsoleRoutes] {
        // The watches as the HTTP interface shows them.
        let pool = pools.console
        let faces = watches.map { $0.face(pool) }
        let registry = Registry(pool: pool)
        return [
            EventRoutes(feed: events, watches: watches.map(\.name)),
            Dashboard(
                watches: faces, registry: registry, samples: Samples(pool: pool), tokens: configuration.http.tokens),
            ConsoleAPI(watches: faces, registry: registry) { [watches] in
                try await StatusReport(watches, pool: pool).json
            },
            NotifyRoutes(configuration.gateways, pool: pool, registry: self.registry),
        ]
    }

    func waitForDatabase() async throws {
        let (outbox, endpoints) = (Outbox(pool: pools.rows), configuration.webhooks.map(\.endpoint))
        let process = id
        let gate = DatabaseGate(
            migrator: Migrator(pool: pools.rows, logger: logger), migrates: migrates,
            announce: { try await outbox.register(endpoints, process: process) },
            readiness: readiness, logger: logger)
        try await gate.pass()
    }

    /// Polls until shut down; the database has been reached.
    func poll() async throws {
        let listener = WakeupListener(configuration: listening, logger: logger)
        let surroundings = PollerSurroundings(
            pool: pools.rows, identity: identity, listener: listener, outside: outside, registry: registry,
            readiness: readiness, metrics: metrics, logger: logger)
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
        let pollers = Pollers(pollers: polled.map { $0.poller(in: surroundings) }, logger: quietLogger)
        // Their series are there by now, with what was counted under an earlier configuration.
        sampling.yield(
            Sampler(pool: pools.rows, watches: polled, metrics: metrics, process: id, logger: logger))
        sampling.finish()
        // Shut down from the end: the pollers settle while their wake-ups still come.
        let services: [any Service] = polled.contains(where: \.settings.notify) ? [listener, pollers] : [pollers]
        try await ServiceGroup(services: services, logger: quietLogger).run()
        logger.notice("stopped")
    }

    /// What is done for the whole process, until shut down.
    fileprivate func keepUp(_ sampler: Sampler) async throws {
        let upkeep = upkeep
        let services: [any Service] = [
            PeriodicWork(every: Upkeep.interval) { await upkeep.run() },
            PeriodicWork(every: Sampler.interval) { await sampler.run() },
        ]
        try await ServiceGroup(services: services, logger: quietLogger).run()
    }

    /// - Parameter others: the process under other configurations, with which it may share the connections.
    func close(leaving others: [PollerProcess] = []) async {
        if !others.contains(where: { $0.pools === pools }) { await pools.close() }
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

/// Waits for the pollers to begin, then does what is done for the whole process.
private struct UpkeepService: Service {
    let process: PollerProcess

    func run() async throws {
        var begun: Sampler?
        for await sampler in process.samplers.cancelOnGracefulShutdown() {
            begun = sampler
            break
        }
        guard let begun, !Task.isShuttingDownGracefully else { return }
        try await process.keepUp(begun)
    }
}
