import ArgumentParser
import Foundation
import Logging

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure this machine: orders against pgbench, merges against cat, HTTP, timers. Prints JSON.",
        discussion: """
            The database must be one that may be emptied. Figures compare within one run only. Each part prints one line \
            when it is done.
            """)

    enum Part: String, CaseIterable, ExpressibleByArgument {
        case memory, idle, lateness, drain, api, timers, uploads
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

    @Option(help: "Timers to run, at intervals of ten seconds; halved until their calls keep up.")
    var timers = 100_000

    @Option(help: "MiB of each of the 64 chunks to merge.")
    var chunkMebibytes = 32

    @Option(help: "Sessions to look at, half of whose chunks are missing.")
    var sessions = 10_000

    @Option(help: "Where to put chunks and merged files; a temporary folder by default.", completion: .directory)
    var folder = FileManager.default.temporaryDirectory.path

    struct Report: Codable {
        var drain: Bench.Drain?
        var lateness: Bench.Lateness?
        var memory: Bench.Memory?
        var idle: Bench.Idle?
        var api: Bench.API?
        var timers: Bench.Timers?
        var uploads: Bench.Uploads?
    }

    func validate() throws {
        guard (1...10_000_000).contains(orders) else { throw ValidationError("--orders is between 1 and 10000000") }
        guard (1...1_000_000).contains(timers) else { throw ValidationError("--timers is between 1 and 1000000") }
        guard (1...1_024).contains(chunkMebibytes) else {
            throw ValidationError("--chunk-mebibytes is between 1 and 1024")
        }
        guard (1...100_000).contains(sessions) else { throw ValidationError("--sessions is between 1 and 100000") }
        guard (1...10_000).contains(batch), batch <= orders else {
            throw ValidationError("--batch is between 1 and 10000, and no more than --orders")
        }
    }

    func run() async throws {
        var logger = Logger(label: "bench")
        logger.logLevel = .warning
        let bench = Bench(url: databaseUrl, batch: batch, logger: logger)
        try await bench.prepare()
        // In the order in which they are declared. Memory is first: what the other parts leave behind is theirs.
        for part in Part.allCases where parts.contains(part) { try print(await measure(part, bench)) }
    }

    private func measure(_ part: Part, _ bench: Bench) async throws -> Report {
        switch part {
        case .memory: Report(memory: try await bench.memory(inFlight: 1_000))
        case .idle: Report(idle: try await bench.idle(for: .seconds(10)))
        case .lateness: Report(lateness: try await bench.lateness(orders: 2_000, every: .milliseconds(10)))
        case .drain: Report(drain: try await bench.drain(orders: orders))
        case .api: Report(api: try await bench.api(connections: 16, for: .seconds(10), listeners: 1_000))
        case .timers: Report(timers: try await bench.timers(timers, every: .seconds(10)))
        case .uploads:
            Report(
                uploads: try await bench.uploads(
                    in: URL(filePath: folder), chunkMebibytes: chunkMebibytes, sessions: sessions))
        }
    }

    private func print(_ report: Report) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        Swift.print(String(decoding: try encoder.encode(report), as: UTF8.self))
    }
}
