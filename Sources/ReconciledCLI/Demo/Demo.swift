import Foundation
import Logging
import Postgres
import Sandbox
import Schema
import ServiceLifecycle
import Subprocess
import SystemPackage
import Timeline

/// A thousand orders, a third of them stuck in every way the decision table knows, on a private PostgreSQL with a sandbox
/// gateway and two poller processes; ends when every order is where its truth says.
struct Demo {
    let orderCount: Int
    let directory: URL
    let usesColour: Bool
    let logger: Logger
    /// Longer than any of the scenarios takes.
    static let limit = Duration.seconds(120)

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// Returns whether every order ended where its truth says.
    func run() async throws -> Bool {
        let postgres = EmbeddedPostgres(directory: directory.path, logger: logger)
        say("PostgreSQL starts in \(directory.path)")
        return try await postgres.withServer { url in
            let pool = PostgresPool(
                configuration: PostgresConfiguration(url: url, applicationName: "reconciled-demo"), size: 2,
                logger: logger)
            do {
                let isRight = try await run(url: url, pool: pool)
                await pool.close()
                return isRight
            } catch {
                await pool.close()
                throw error
            }
        }
    }

    private func run(url: String, pool: PostgresPool) async throws -> Bool {
        let migrated = try await Migrator(pool: pool, logger: logger).migrate()
        say("schema migrated: \(migrated.map { "v\($0.version) \($0.name)" }.joined(separator: ", "))")
        let (ports, portSource) = AsyncStream.makeStream(of: Int.self)
        return try await withThrowingTaskGroup(of: Bool?.self) { group in
            // That the sandbox is stopped while pollers are connected is no news.
            var silent = logger
            silent.logLevel = .critical
            let sandbox = SandboxServer(logger: silent) { port in portSource.yield(port) }
            let sandboxGroup = ServiceGroup(services: [sandbox], logger: silent)
            group.addTask {
                try await sandboxGroup.run()
                return nil
            }
            group.addTask {
                var iterator = ports.makeAsyncIterator()
                guard let port = await iterator.next() else { return nil }
                let configuration = try writeConfiguration(url: url, gatewayPort: port)
                say("sandbox gateway on port \(port)")
                return try await withPollers(2, configuration: configuration) {
                    try await watch(DemoDatabase(pool: pool))
                }
            }
            defer { group.cancelAll() }
            for try await isRight in group {
                if let isRight { return isRight }
            }
            throw Failure(description: "the demo was stopped")
        }
    }

    private func writeConfiguration(url: String, gatewayPort: Int) throws -> URL {
        let text = """
            # Written by `reconciled demo`.
            database: { url: "\(url)" }
            http: { host: 127.0.0.1, port: 0 }
            gateways:
              stripe: { kind: stripe, secretKey: sk_sandbox, baseUrl: "http://127.0.0.1:\(gatewayPort)", timeout: 5s }
              acme:
                kind: http
                url: "http://127.0.0.1:\(gatewayPort)/orders/{id}"
                timeout: 5s
                state: "$.status"
                states: { PAID: [paid], NOT_PAID_YET: [open], CLOSED: [void], REFUNDED: [refunded], DISPUTED: [disputed] }
                amount: "$.amount"
                amountUnit: minor
                currency: "$.currency"
                order: "$.order"
                txn: "$.txn"

            """
        let file = directory.appending(path: "reconciled.yaml")
        try text.write(to: file, atomically: true, encoding: .utf8)
        return file
    }

    /// Runs `reconciled run` in so many processes while `body` runs; they are asked to stop, and stopped after a while.
    private func withPollers<T: Sendable>(
        _ count: Int, configuration: URL, _ body: @escaping @Sendable () async throws -> T
    ) async throws -> T {
        try await withThrowingTaskGroup(of: T?.self) { group in
            for number in 1...count {
                group.addTask {
                    try await runPoller(number, configuration: configuration)
                    return nil
                }
            }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            for try await result in group {
                if let result { return result }
            }
            throw Failure(description: "the pollers stopped; see \(directory.path)/poller-1.log")
        }
    }

    private func runPoller(_ number: Int, configuration: URL) async throws {
        let log = FilePath(directory.appending(path: "poller-\(number).log").path)
        let descriptor = try FileDescriptor.open(
            log, .writeOnly, options: [.create, .append], permissions: [.ownerReadWrite])
        var options = PlatformOptions()
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(10))]
        let record = try await Subprocess.run(
            .path("/proc/self/exe"), arguments: ["run", "--config", configuration.path], platformOptions: options,
            input: .none, output: .fileDescriptor(descriptor, closeAfterSpawningProcess: false),
            error: .fileDescriptor(descriptor, closeAfterSpawningProcess: true))
        guard record.terminationStatus.isSuccess || Task.isCancelled else {
            throw Failure(description: "poller \(number) ended with \(record.terminationStatus); see \(log)")
        }
    }

    // MARK: what there is to see

    private func watch(_ database: DemoDatabase) async throws -> Bool {
        let orders = DemoOrder.sample(count: orderCount)
        try await database.insert(orders)
        say("\(orders.count) orders: a third of them stuck, in \(Set(orders.map(\.scenario)).count) different ways\n")
        let start = Moment.now
        var healthy = orders.filter(\.isHealthy).map(\.id)[...]
        var report = DemoReport(orders, try await database.outcomes())
        var shownAt: Moment?
        while !report.isOver, Moment.now < start + Self.limit {
            // The healthy ones' notifications trickle in; some meet a check under way.
            try await database.notify(Array(healthy.prefix(40)))
            healthy = healthy.dropFirst(40)
            try await Task.sleep(for: .milliseconds(250))
            report = DemoReport(orders, try await database.outcomes())
            // A terminal shows one line that grows; a file gets one every now and then.
            if isTerminal || report.isOver || shownAt.map({ Moment.now - $0 >= .seconds(2) }) ?? true {
                showProgress(report, total: orders.count, seconds: (Moment.now - start).inSeconds)
                shownAt = Moment.now
            }
        }
        let counters = try await database.counters()
        let seconds = (Moment.now - start).inSeconds
        Descriptor.write(
            "\n" + report.rendered(counters: counters, seconds: seconds, usesColour: usesColour), to: STDOUT_FILENO)
        return report.isOver
    }

    private func showProgress(_ report: DemoReport, total: Int, seconds: Double) {
        let width = 40
        let filled = total == 0 ? width : report.atTheirTruth * width / total
        let bar = String(repeating: "█", count: filled) + String(repeating: "·", count: width - filled)
        let line = "\(bar) \(report.atTheirTruth) of \(total) right, \(Int(seconds)) s"
        Descriptor.write(isTerminal ? "\r\(line)\u{1B}[K" : "\(line)\n", to: STDOUT_FILENO)
    }

    private var isTerminal: Bool { Descriptor.isTerminal(STDOUT_FILENO) }

    private func say(_ text: String) { Descriptor.write(text + "\n", to: STDOUT_FILENO) }
}
