import Histogram
import Outgoing
import Postgres
import Reconciling
import Timeline
import Timers

extension Bench {
    /// Timers that call a sink on loopback, in this process on a thread of its own, each at its own instant.
    struct Timers: Codable {
        var everySeconds: Double
        /// Halved until the calls keep up.
        var attempts: [Attempt]
        var highestCallsPerSecond: Double

        /// What was seen in an interval that began one interval after the first call.
        struct Attempt: Codable {
            var timers: Int
            var callsPerSecondDue: Double
            var callsPerSecond: Double
            /// How late checks start, in milliseconds.
            var p50: Double
            var p99: Double
            var max: Double
            var cpuSecondsPerSecond: Double

            var keepsUp: Bool { callsPerSecond >= 0.99 * callsPerSecondDue && p99 <= Bench.timerLatenessMax }
        }
    }

    /// In milliseconds.
    private static let timerLatenessMax = 50.0
    private static let timerAttemptsMax = 6

    func timers(_ count: Int, every interval: Duration) async throws -> Timers {
        var attempts: [Timers.Attempt] = []
        var next = count
        repeat {
            attempts.append(try await attempt(next, every: interval))
            next /= 2
        } while attempts.last?.keepsUp == false && attempts.count < Self.timerAttemptsMax && next > 0
        return Timers(
            everySeconds: interval.inSeconds, attempts: attempts,
            highestCallsPerSecond: attempts.map(\.callsPerSecond).max() ?? 0)
    }

    private func attempt(_ count: Int, every interval: Duration) async throws -> Timers.Attempt {
        try await BenchSink.with { sink in
            try await withClient { http in
                try await withPool { pool in try await empty(pool) }
                let observer = BenchObserver()
                let caller = TimerCaller(targets: .everywhere, http: http, publicHTTP: http)
                var result: Timers.Attempt?
                // As `run` does by default, answers are not kept.
                try await withPollers(
                    TimerTable.self, TimerReconciler(caller: caller), lanes: [LaneConfiguration(name: Self.lane)],
                    observers: [observer], recordsChecks: false
                ) { pool in
                    // What inserting takes has passed when the first one is due.
                    let first = Duration.seconds(2) + .microseconds(50) * count
                    let start = Moment.now + first
                    try await insertTimers(pool, count, every: interval, firstIn: first, url: sink.url)
                    guard Moment.now < start else { throw Failure(description: "inserting the timers took too long") }
                    result = try await observe(observer, sink, count, every: interval, from: start + interval)
                }
                guard let result else { throw Failure(description: "the timers were not measured") }
                return result
            }
        }
    }

    private func observe(
        _ observer: BenchObserver, _ sink: BenchSink, _ count: Int, every interval: Duration, from start: Moment
    ) async throws -> Timers.Attempt {
        try await Self.poll(for: interval * 3 + .seconds(600), "the first interval") { Moment.now >= start }
        observer.resetLateness()
        let (begun, calls, cpu) = (Moment.now, sink.callCount, ProcessUsage.cpuSeconds)
        try await Task.sleep(for: interval)
        let seconds = (Moment.now - begun).inSeconds
        let (made, used) = (sink.callCount - calls, ProcessUsage.cpuSeconds - cpu)
        let histogram = observer.snapshot.lateness
        func milliseconds(_ percentile: Double) -> Double { Double(histogram.valueAtPercentile(percentile)) / 1_000 }
        return Timers.Attempt(
            timers: count, callsPerSecondDue: Double(count) / interval.inSeconds,
            callsPerSecond: Double(made) / seconds, p50: milliseconds(50), p99: milliseconds(99),
            max: milliseconds(100), cpuSecondsPerSecond: used / seconds)
    }

    private func insertTimers(
        _ pool: PostgresPool, _ count: Int, every interval: Duration, firstIn: Duration, url: String
    ) async throws {
        let parameters: [PostgresParameter] = [
            .text(Self.idPrefix), .text(Self.lane), .int4(Int32(clamping: count)), .interval(interval),
            .interval(firstIn), .text(url),
        ]
        try await pool.execute(PostgresQuery(.sql("bench_timers"), parameters), deadline: .seconds(600))
        try await pool.execute(PostgresQuery(.sql("bench_vacuum")), deadline: .seconds(600))
    }

    private func withClient<T: Sendable>(_ body: (OutgoingClient) async throws -> T) async throws -> T {
        let http = OutgoingClient()
        do {
            let result = try await body(http)
            try await http.shutdown()
            return result
        } catch {
            try? await http.shutdown()  // the first error is the one to tell
            throw error
        }
    }
}
