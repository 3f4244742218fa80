import Foundation
import Logging
import Postgres
import Sandbox
import Schema
import ServiceLifecycle
import Timeline
import UnixSignals

/// A thousand orders, a third of them stuck in every way the decision table knows, and twenty uploads on real files, on a
/// private PostgreSQL with a sandbox gateway and two poller processes, one of which is killed; ends when every order and
/// every upload is where its truth says.
struct Demo {
    let orderCount: Int
    /// Of the upload in whose merge a poller is killed.
    let largeBytes: Int64
    let directory: URL
    let usesColour: Bool
    /// Whether pollers and dashboard go on after the end, until a signal comes.
    let stays: Bool
    let logger: Logger
    /// Longer than any of the scenarios takes.
    static let limit = Duration.seconds(120)

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// Returns whether everything ended where its truth says.
    func run() async throws -> Bool {
        let postgres = EmbeddedPostgres(directory: directory.path, makesCluster: true, logger: logger)
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
            let secret = "whsec_" + Data((0..<32).map { _ in UInt8.random(in: 0...255) }).base64EncodedString()
            let sandbox = SandboxServer(webhookSecret: secret, logger: silent) { port in portSource.yield(port) }
            let sandboxGroup = ServiceGroup(services: [sandbox], logger: silent)
            group.addTask {
                try await sandboxGroup.run()
                return nil
            }
            group.addTask {
                var iterator = ports.makeAsyncIterator()
                guard let port = await iterator.next() else { return nil }
                let configuration = try writeConfiguration(url: url, gatewayPort: port, webhookSecret: secret)
                say("sandbox gateway on port \(port)")
                let uploads = try await prepareUploads()
                let pollers = DemoPollers(directory: directory, configuration: configuration)
                return try await withConsole(configuration, url: url) {
                    try await pollers.with(2) {
                        let isRight = try await watch(
                            DemoDatabase(pool: pool), uploads, pollers, webhooks: sandbox.webhooks)
                        if stays { await untilSignal() }
                        return isRight
                    }
                }
            }
            defer { group.cancelAll() }
            for try await isRight in group {
                if let isRight { return isRight }
            }
            throw Failure(description: "the demo was stopped")
        }
    }

    /// Serves the dashboard while `body` runs.
    private func withConsole(
        _ file: URL, url: String, _ body: @escaping @Sendable () async throws -> Bool
    ) async throws -> Bool {
        var quiet = logger
        quiet.logLevel = .error
        let process = PollerProcess(
            configuration: try Configuration.load(path: file.path), url: url, migrates: false, replacing: nil,
            logger: quiet)
        let services = process.consoleServices { port in say("dashboard: http://127.0.0.1:\(port)/") }
        let group = ServiceGroup(services: services, logger: quiet)
        return try await withThrowingTaskGroup(of: Bool?.self) { tasks in
            tasks.addTask {
                try await group.run()
                return nil
            }
            tasks.addTask { try await body() }
            var isRight: Bool?
            while isRight == nil, let result = try await tasks.next() { isRight = result }
            await group.triggerGracefulShutdown()
            tasks.cancelAll()
            while await tasks.nextResult() != nil {}
            await process.close()
            return isRight ?? false
        }
    }

    private func untilSignal() async {
        say("\nThe pollers and the dashboard go on until you press Ctrl-C.")
        for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) { return }
    }

    private func writeConfiguration(url: String, gatewayPort: Int, webhookSecret: String) throws -> URL {
        let text = """
            # Written by `reconciled demo`.
            database: { url: "\(url)" }
            http: { host: 127.0.0.1 }
            # What a killed poller held is soon someone else's.
            watches: { orders: { lease: 3s }, uploads: { lease: 2s, poll: 100ms } }
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
            webhooks:
              shop: { url: "http://127.0.0.1:\(gatewayPort)/webhooks", secret: "\(webhookSecret)" }
            stores:
            \(client.stores)
            """
        let file = directory.appending(path: "reconciled.yaml")
        try text.write(to: file, atomically: true, encoding: .utf8)
        return file
    }

    // MARK: what there is to see

    private func watch(
        _ database: DemoDatabase, _ announced: (uploads: [DemoUpload], digests: [String?]), _ pollers: DemoPollers,
        webhooks: SandboxWebhooks
    ) async throws -> Bool {
        let orders = DemoOrder.sample(count: orderCount)
        let uploads = announced.uploads
        try await database.insert(orders)
        try await database.insert(uploads, digests: announced.digests)
        say("\(orders.count) orders: a third of them stuck, in \(Set(orders.map(\.scenario)).count) different ways")
        say("\(uploads.count) uploads, in \(Set(uploads.map(\.scenario)).count) different ways\n")
        let start = Moment.now
        async let killing = killDuringMerge(uploads, database, pollers)
        var screen = DemoScreen()
        var healthy = orders.filter(\.isHealthy).map(\.id)[...]
        var report = DemoReport(orders, try await database.outcomes())
        var uploadReport = DemoUploadReport(uploads, try await database.uploadOutcomes())
        while !(report.isOver && uploadReport.isOver), Moment.now < start + Self.limit {
            // The healthy ones' notifications trickle in; some meet a check under way.
            try await database.notify(Array(healthy.prefix(40)))
            healthy = healthy.dropFirst(40)
            try await sendMore(uploadReport)
            try await Task.sleep(for: .milliseconds(250))
            report = DemoReport(orders, try await database.outcomes())
            uploadReport = DemoUploadReport(uploads, try await database.uploadOutcomes())
            if let news = pollers.takeNews() { screen.say(news) }
            screen.show(
                report, total: orders.count, uploadReport, seconds: (Moment.now - start).inSeconds,
                isLast: report.isOver && uploadReport.isOver)
        }
        let seconds = (Moment.now - start).inSeconds
        let wasKilled = try await killing
        uploadReport.problems = try await client.run {
            try uploads.compactMap { upload in
                try client.problem(with: upload).map { "\(upload.id) \(upload.name): \($0)" }
            }
        }
        if !wasKilled { say("The large upload was merged before its poller could be killed.") }
        let told = try await countWebhooks(webhooks, database)
        let counters = try await database.counters()
        Descriptor.write(
            report.rendered(counters: counters, seconds: seconds, usesColour: usesColour)
                + uploadReport.rendered(usesColour: usesColour) + told, to: STDOUT_FILENO)
        return report.isOver && uploadReport.isOver && uploadReport.problems.isEmpty
    }

    /// What the application was told, once the last webhooks have arrived.
    private func countWebhooks(_ webhooks: SandboxWebhooks, _ database: DemoDatabase) async throws -> String {
        let limit = Moment.now + .seconds(20)
        while Moment.now < limit, try await database.isDelivering(to: "shop") {
            try await Task.sleep(for: .milliseconds(100))
        }
        let counts = await webhooks.counts
        let types = counts.types.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        return "\nThe application was told of \(counts.events) changes by signed webhooks: \(types).\n"
    }

    private func say(_ text: String) { Descriptor.write(text + "\n", to: STDOUT_FILENO) }
}
