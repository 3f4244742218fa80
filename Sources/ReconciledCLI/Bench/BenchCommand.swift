import ArgumentParser
import Foundation
import Logging

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure this machine: drain against pgbench, lateness, memory, idle load. Prints JSON.",
        discussion: """
            The database must be one that may be emptied. Figures compare within one run only.
            """)

    enum Part: String, CaseIterable, ExpressibleByArgument {
        case drain, lateness, memory, idle
    }

    @Option(help: "The database to measure on; everything in its schema `reconciled` is thrown away.")
    var databaseUrl: String

    @Option(help: "Orders to drain.")
    var orders = 100_000

    @Option(help: "Rows a claim and a settle.")
    var batch = 200

    @Option(
        name: .customLong("only"), help: "Only these parts: \(Part.allCases.map(\.rawValue).joined(separator: ", ")).")
    var parts: [Part] = Part.allCases

    struct Report: Codable {
        var drain: Bench.Drain?
        var lateness: Bench.Lateness?
        var memory: Bench.Memory?
        var idle: Bench.Idle?
    }

    func validate() throws {
        guard (1...10_000_000).contains(orders) else { throw ValidationError("--orders is between 1 and 10000000") }
        guard (1...10_000).contains(batch), batch <= orders else {
            throw ValidationError("--batch is between 1 and 10000, and no more than --orders")
        }
    }

    func run() async throws {
        var logger = Logger(label: "bench")
        logger.logLevel = .warning
        let bench = Bench(url: databaseUrl, batch: batch, logger: logger)
        try await bench.prepare()
        var report = Report()
        // Memory first: what the other parts leave behind is theirs.
        if parts.contains(.memory) { report.memory = try await bench.memory(inFlight: 1_000) }
        if parts.contains(.idle) { report.idle = try await bench.idle(for: .seconds(10)) }
        if parts.contains(.lateness) {
            report.lateness = try await bench.lateness(orders: 2_000, every: .milliseconds(10))
        }
        if parts.contains(.drain) { report.drain = try await bench.drain(orders: orders) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        print(String(decoding: try encoder.encode(report), as: UTF8.self))
    }
}
