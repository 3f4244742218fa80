import Console
import Deliveries
import Logging
import Postgres
import PostgresStore
import Schema
import Timeline

/// What a poller process does besides its rows: partitions of `checks` made ahead, old deliveries removed, rows that
/// cannot make progress reported, and the metrics that only the database knows.
struct Upkeep: Sendable {
    static let interval = Duration.seconds(600)
    /// Endpoints of a process that was silent for so long are forgotten; see `sql/register_endpoints.sql`.
    static let silenceMax = Duration.seconds(3_600)

    let pool: PostgresPool
    let registry: MetricsRegistry
    let readiness: Readiness
    /// Also those that this process does not poll: rows that wait in an unconfigured lane are to be reported.
    let watches: [any ServedWatch]
    /// Those that this process has configured.
    let endpoints: [Endpoint]
    /// The process's id, and since when it runs.
    let process: String
    let startedAt: Moment
    let logger: Logger

    func run() async {
        do {
            let outbox = Outbox(pool: pool)
            try await outbox.register(
                endpoints, process: process, forgetsSilent: Moment.now - startedAt >= Self.silenceMax)
            try await outbox.forgetDelivered()
            try await Samples(pool: pool).forgetOld()
            try await Registry(pool: pool).maintainChecks()
            for watch in watches {
                for finding in try await Diagnosis.audit(watch, pool: pool) {
                    logger.warning(
                        "rows cannot make progress",
                        metadata: [
                            "finding": "\(finding.kind)", "watch": "\(watch.name)", "lane": "\(finding.lane ?? "")",
                            "row_id": "\(finding.rowID ?? "")", "detail": "\(finding.detail)",
                        ])
                }
            }
            if let problem = try await Migrator(pool: pool, logger: logger).state().problem {
                readiness.schemaRejected(problem)
                logger.error("the schema changed", metadata: ["problem": "\(problem)"])
            } else {
                readiness.schemaVerified()
            }
        } catch {
            guard !Task.isCancelled else { return }
            logger.warning("upkeep failed; it is tried again", metadata: ["error": "\(error)"])
        }
    }

    func refreshGauges() async {
        do {
            var due: [RowGauges.Due] = []
            var review: [RowGauges.Review] = []
            for watch in watches where !watch.lanes.isEmpty {
                let overview = type(of: watch).overview(pool)
                due += try await overview.lanes(watch.lanes.map(\.name))
                    .map { .init(watch: watch.name, lane: $0.lane, count: Int($0.due.count)) }
                review += try await overview.reviews()
                    .map { .init(watch: watch.name, reason: $0.reason, count: Int($0.rows.count)) }
            }
            let states = try await Registry(pool: pool).lanes()
            RowGauges(due: due, review: review, lanes: states.map { ($0.name, $0.paused) }).write(to: registry)
            if let server = try await Registry(pool: pool).server() { write(server) }
        } catch {
            registry.counter(
                "reconciled_metrics_refresh_failures_total", help: "Refreshes of metrics that the database refused."
            ).increment()
            logger.debug("metrics were not refreshed", metadata: ["error": "\(error)"])
        }
    }

    private func write(_ server: Registry.Server) {
        let gauges: [(name: String, help: String, value: Double?)] = [
            (
                "reconciled_xmin_age_seconds", "Age of the oldest open snapshot, where others' are to be seen.",
                server.xminAge?.inSeconds
            ),
            ("reconciled_dead_rows", "Dead rows of the watched tables.", Double(server.deadRows)),
            ("reconciled_clock_skew_seconds", "The database's clock minus ours.", server.skew.inSeconds),
        ]
        for gauge in gauges {
            registry.replaceGauges(gauge.name, help: gauge.help, gauge.value.map { [(labels: [], value: $0)] } ?? [])
        }
    }
}
