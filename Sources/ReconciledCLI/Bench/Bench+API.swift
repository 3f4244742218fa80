import Histogram
import NIOPosix
import ServiceLifecycle
import Timeline

extension Bench {
    /// The HTTP interface over connections that stay open; both ends are in this process.
    struct API: Codable {
        var connections: Int
        var putsPerSecond: Double
        /// Orders that pgbench adds by the same statement, one a transaction, with as many clients.
        var pgbenchRowsPerSecond: Double
        /// PUTs to pgbench.
        var ratio: Double
        /// Until a PUT was answered, in milliseconds.
        var p50: Double
        var p99: Double
        /// The most while rows were put, above what the idle interface held.
        var memoryMegabytesAboveIdle: Double
        var listeners: Int
        /// What they hold, both ends of each.
        var listenersMegabytes: Double
        /// From a PUT until the last listener has heard of it, in milliseconds; the median.
        var lastListenerHeardAfter: Double
    }

    private static let listenersRepeats = 11

    func api(connections: Int, for duration: Duration, listeners: Int) async throws -> API {
        try await withPool { pool in try await empty(pool) }
        let pgbench = try await PgbenchScript(addingTo: Self.lane).roundsPerSecond(
            url: url, clients: connections, for: .time(duration))
        try await withPool { pool in try await empty(pool) }
        return try await withConsole { port, clients in
            let idle = try ProcessUsage.megabytes("VmRSS")
            try ProcessUsage.resetPeak()
            let puts = try await BenchPuts.run(port: port, on: clients, connections: connections, for: duration)
            let peak = try ProcessUsage.megabytes("VmHWM")
            func milliseconds(_ percentile: Double) -> Double {
                Double(puts.latency.valueAtPercentile(percentile)) / 1_000
            }
            let before = try ProcessUsage.megabytes("VmRSS")
            let audience = try await BenchAudience.gather(listeners, port: port, on: clients)
            let held = try ProcessUsage.megabytes("VmRSS") - before
            var heard: [Double] = []
            for number in 0..<Self.listenersRepeats {
                let start = Moment.now
                let expected = audience.heardCount + listeners
                try await BenchPuts.put("heard-\(number)", port: port, on: clients)
                try await Self.poll(for: .seconds(30), "the listeners") { audience.heardCount >= expected }
                heard.append((Moment.now - start).inSeconds * 1_000)
            }
            let rate = Double(puts.count) / duration.inSeconds
            return API(
                connections: connections, putsPerSecond: rate, pgbenchRowsPerSecond: pgbench, ratio: rate / pgbench,
                p50: milliseconds(50), p99: milliseconds(99), memoryMegabytesAboveIdle: max(0, peak - idle),
                listeners: listeners, listenersMegabytes: max(0, held), lastListenerHeardAfter: Self.median(heard))
        }
    }

    /// Runs the interface as `run` does, without pollers, while `body` runs.
    private func withConsole<T: Sendable>(
        _ body: @escaping @Sendable (_ port: Int, _ clients: MultiThreadedEventLoopGroup) async throws -> T
    ) async throws -> T {
        let configuration = try Configuration(
            yaml: "{ http: { port: 0 }, gateways: { \(Self.lane): { kind: fixed, state: PAID } } }",
            fileName: "bench", environment: [:])
        let process = PollerProcess(
            configuration: configuration, url: url, migrates: false, replacing: nil, logger: logger)
        let (ports, running) = AsyncStream.makeStream(of: Int.self)
        let services = ServiceGroup(
            services: process.consoleServices(onRunning: { running.yield($0) }), logger: process.quietLogger)
        let clients = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let result: Result<T, any Error>
        do { result = .success(try await serve(services, ports, clients, body)) } catch { result = .failure(error) }
        try? await clients.shutdownGracefully()  // what was measured is the result
        await process.close()
        return try result.get()
    }
    private func serve<T: Sendable>(
        _ services: ServiceGroup, _ ports: AsyncStream<Int>, _ clients: MultiThreadedEventLoopGroup,
        _ body: @escaping @Sendable (_ port: Int, _ clients: MultiThreadedEventLoopGroup) async throws -> T
    ) async throws -> T {
        try await withThrowingTaskGroup(of: T?.self) { group in
            group.addTask {
                try await services.run()
                return nil
            }
            group.addTask {
                for await port in ports { return try await body(port, clients) }
                return nil
            }
            let first = try await group.next() ?? nil
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
            guard let first else { throw Failure(description: "the HTTP interface ended") }
            return first
        }
    }
}
