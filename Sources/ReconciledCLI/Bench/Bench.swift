import Histogram
import Logging
import Payments
import Postgres
import PostgresStore
import Reconciling
import Schema
import Timeline

/// The measurements of `reconciled bench`, on a database that holds nothing else.
struct Bench {
    static let idPrefix = "bench-"
    static let lane = "bench"

    let url: String
    let batch: Int
    let logger: Logger

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    func prepare() async throws {
        try await withPool { pool in
            try await Migrator(pool: pool, logger: logger).migrate()
            try await empty(pool)
        }
    }

    /// Rows a second that pollers drain, as a share of what pgbench reaches with the same statements.
    struct Drain: Codable {
        var orders: Int
        var batch: Int
        var concurrency: Int
        var pgbenchRowsPerSecond: Double
        var onePollerRowsPerSecond: Double
        var twoPollersRowsPerSecond: Double
        /// One poller to one pgbench client.
        var ratio: Double
    }

    /// Under load a claim takes at most half of the concurrency: this lets it take a whole batch, as pgbench's does.
    private var drainConcurrency: Int { 2 * batch }

    func drain(orders: Int) async throws -> Drain {
        let pgbench = try await pgbenchRowsPerSecond(orders: orders)
        let one = try await drainRowsPerSecond(orders: orders, pollers: 1)
        let two = try await drainRowsPerSecond(orders: orders, pollers: 2)
        return Drain(
            orders: orders, batch: batch, concurrency: drainConcurrency, pgbenchRowsPerSecond: pgbench,
            onePollerRowsPerSecond: one,
            twoPollersRowsPerSecond: two, ratio: one / pgbench)
    }

    private func pgbenchRowsPerSecond(orders: Int) async throws -> Double {
        try await refill(orders: orders)
        let rounds = orders / batch
        let script = PgbenchScript(lane: Self.lane, batch: batch)
        let rate = try await script.roundsPerSecond(url: url, for: .rounds(rounds))
        try await withPool { pool in
            let paid = try await settled(pool).paid
            guard paid == rounds * batch else {
                throw Failure(description: "pgbench settled \(paid) orders of \(orders)")
            }
        }
        return rate * Double(batch)
    }

    private func drainRowsPerSecond(orders: Int, pollers: Int) async throws -> Double {
        try await refill(orders: orders)
        let observers = (0..<pollers).map { _ in BenchObserver() }
        let start = Moment.now
        var seconds = 0.0
        try await withOrderPollers(observers, gateway: .init(), concurrency: drainConcurrency) { _ in
            try await Self.poll(for: .seconds(300), "the drain") {
                observers.reduce(0) { $0 + $1.snapshot.settled } >= orders
            }
            seconds = (Moment.now - start).inSeconds
        }
        try await withPool { pool in
            let (paid, changes) = try await settled(pool)
            guard paid == orders, changes == orders else {
                throw Failure(description: "\(paid) of \(orders) orders are paid, with \(changes) changes in history")
            }
        }
        return Double(orders) / seconds
    }

    /// How late checks start, in milliseconds.
    struct Lateness: Codable {
        var orders: Int
        var everyMilliseconds: Double
        var p50: Double
        var p99: Double
        var max: Double
    }

    func lateness(orders: Int, every interval: Duration) async throws -> Lateness {
        let observer = BenchObserver()
        try await withPool { pool in try await empty(pool) }
        try await withOrderPollers([observer], gateway: .init()) { pool in
            try await insert(pool, orders: orders, firstIn: .seconds(2), every: interval)
            let expected = interval * orders + .seconds(2)
            try await Self.poll(for: expected + .seconds(60), "the punctual orders") {
                observer.snapshot.settled >= orders
            }
        }
        let histogram = observer.snapshot.lateness
        func milliseconds(_ percentile: Double) -> Double { Double(histogram.valueAtPercentile(percentile)) / 1_000 }
        return Lateness(
            orders: orders, everyMilliseconds: interval.inSeconds * 1_000, p50: milliseconds(50),
            p99: milliseconds(99), max: milliseconds(100))
    }

    struct Memory: Codable {
        var checksInFlight: Int
        /// Of this process, which holds one poller.
        var residentMegabytes: Double
    }

    func memory(inFlight: Int) async throws -> Memory {
        try await refill(orders: inFlight)
        let observer = BenchObserver()
        var resident = 0.0
        try await withOrderPollers([observer], gateway: .init(delay: .seconds(5)), concurrency: inFlight) { _ in
            try await Self.poll(for: .seconds(30), "the checks in flight") {
                observer.snapshot.inFlightMax >= inFlight
            }
            resident = try ProcessUsage.megabytes("VmRSS")
            try await Self.poll(for: .seconds(60), "the slow checks") { observer.snapshot.settled >= inFlight }
        }
        return Memory(checksInFlight: observer.snapshot.inFlightMax, residentMegabytes: resident)
    }

    /// The lowest of three windows: autovacuum's transactions are counted with ours.
    struct Idle: Codable {
        var seconds: Double
        var queriesPerSecond: Double
    }

    func idle(for duration: Duration) async throws -> Idle {
        try await withPool { pool in try await empty(pool) }
        var result = Idle(seconds: 0, queriesPerSecond: 0)
        try await withOrderPollers([BenchObserver()], gateway: .init()) { pool in
            // Registration and the first claims are not idling; the server counts with a delay of up to a second.
            try await Task.sleep(for: .seconds(3))
            var lowest = Double.infinity
            let start = Moment.now
            for _ in 0..<3 {
                let before = try await transactions(pool)
                let windowStart = Moment.now
                try await Task.sleep(for: duration)
                let after = try await transactions(pool)
                // One of them is our own first question.
                lowest = min(lowest, Double(after - before - 1) / (Moment.now - windowStart).inSeconds)
            }
            result = Idle(seconds: (Moment.now - start).inSeconds, queriesPerSecond: lowest)
        }
        return result
    }

    // MARK: the scene

    private func withOrderPollers(
        _ observers: [BenchObserver], gateway: FixedGateway.Settings, concurrency: Int = 256,
        _ body: (PostgresPool) async throws -> Void
    ) async throws {
        try await withPollers(
            OrderTable.self, OrderReconciler(lanes: [Self.lane: OrderLane(gateway: FixedGateway(gateway))]),
            lanes: [LaneConfiguration(name: Self.lane, timeout: .seconds(30))], observers: observers,
            concurrency: concurrency, body)
    }

    private func refill(orders: Int) async throws {
        try await withPool { pool in
            try await empty(pool)
            try await insert(pool, orders: orders, firstIn: .seconds(-1), every: .zero)
            try await pool.execute(PostgresQuery(.sql("bench_vacuum")), deadline: .seconds(600))
        }
    }

    private func insert(_ pool: PostgresPool, orders: Int, firstIn: Duration, every: Duration) async throws {
        let parameters: [PostgresParameter] = [
            .text(Self.idPrefix), .text(Self.lane), .int4(Int32(clamping: orders)), .interval(firstIn),
            .interval(every),
        ]
        try await pool.execute(PostgresQuery(.sql("bench_orders"), parameters), deadline: .seconds(600))
    }

    private func settled(_ pool: PostgresPool) async throws -> (paid: Int, changes: Int) {
        let counts = try await pool.query(PostgresQuery(.sql("bench_settled"))) { rows in
            try rows.map { row in (paid: try row.read(Int64.self), changes: try row.read(Int64.self)) }
        }
        return (Int(counts[0].paid), Int(counts[0].changes))
    }

    private func transactions(_ pool: PostgresPool) async throws -> Int64 {
        try await pool.query(PostgresQuery(.sql("bench_transactions"))) { rows in
            try rows.first { row in try row.read(Int64.self) } ?? 0
        }
    }
}
