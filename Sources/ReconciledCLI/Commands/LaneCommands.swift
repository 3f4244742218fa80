import ArgumentParser
import PostgresStore

struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Stop checks in a lane until someone resumes it.")

    @OptionGroup var database: DatabaseOptions

    @Argument(help: "The lane: a gateway's or a store's name.")
    var lane: String

    @Option(help: ArgumentHelp("Why; shown to everyone.", valueName: "TEXT"))
    var why: String

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard !why.allSatisfy(\.isWhitespace), why.utf8.count <= 1_000 else {
            throw ValidationError("--why says why, in at most 1000 bytes")
        }
    }

    func run() async throws {
        try await database.withSession { session in
            try await session.requireLane(lane)
            try await Registry(pool: session.pool).pause(lane: lane, by: DatabaseSession.actor, reason: why)
        }
        print(json ? JSONText.object(["paused": JSONText.quoted(lane)]) : "paused \(TerminalText.printable(lane))")
    }
}

struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Let a lane run again, whoever paused it, or that its gateway asked to wait.")

    @OptionGroup var database: DatabaseOptions

    @Argument(help: "The lane: a gateway's or a store's name.")
    var lane: String

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        let resumed = try await database.withSession { session in
            try await session.requireLane(lane)
            return try await Registry(pool: session.pool).resume(lane: lane, by: DatabaseSession.actor)
        }
        let name = TerminalText.printable(lane)
        if json {
            print(JSONText.object(["lane": JSONText.quoted(lane), "resumed": resumed ? "true" : "false"]))
        } else {
            print(resumed ? "resumed \(name)" : "\(name) was neither paused nor asked to wait")
        }
    }
}

extension DatabaseSession {
    /// A lane that neither the configuration nor the database knows is a typing error.
    func requireLane(_ lane: String) async throws {
        let known = try await Registry(pool: pool).lanes().map(\.name) + lanes
        guard known.contains(lane) else {
            let names = Set(known).sorted().joined(separator: ", ")
            throw CommandFailure("there is no lane \(JSONText.quoted(String(lane.prefix(63)))); known: \(names)")
        }
    }
}
