import Console
import Deliveries
import Logging
import Postgres
import PostgresStore
import Reconciling
import ServiceLifecycle

/// What the pollers of one process share.
struct PollerSurroundings: Sendable {
    var pool: PostgresPool
    var identity: PollerIdentity
    var listener: WakeupListener
    var outside: OutsideWorld
    var registry: MetricsRegistry
    var readiness: Readiness
    var metrics: EngineMetrics
    var logger: Logger
}

extension ServedWatch {
    /// The poller of this watch, to be run beside those of the others.
    func poller(in surroundings: PollerSurroundings) -> any Service {
        let registry = surroundings.registry
        let listener = surroundings.listener
        surroundings.metrics.announce(watch: name, lanes: lanes.map(\.name))
        announce(in: registry)
        var logger = surroundings.logger
        logger[metadataKey: "watch"] = "\(name)"
        let store = PostgresStore<Table>(
            pool: surroundings.pool, listener: settings.notify ? surroundings.listener : nil,
            poller: surroundings.identity.poller(of: name), recordsChecks: settings.record == .all, logger: logger)
        let observed = ObservedStore(
            base: store, watch: name, readiness: surroundings.readiness,
            written: { settlement in count(settlement, in: registry) },
            changed: {
                // An event may have been written with it. Nobody listens where no endpoint is configured.
                if name != DeliveryTable.watch { listener.wake(DeliveryTable.watch) }
            })
        return Poller(
            configuration: PollerConfiguration(
                watch: name, concurrency: settings.concurrency, batch: settings.batch, lease: settings.lease,
                poll: settings.poll, sweep: settings.sweep, lanes: lanes),
            store: observed, reconciler: reconciler(surroundings.outside), observer: surroundings.metrics,
            logger: logger)
    }
}
