import ArgumentParser

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Ask about one row now, and do what a poller would do.",
        discussion: "A row that a poller is checking at this moment is left to it.")

    @OptionGroup var database: DatabaseOptions
    @OptionGroup var target: WatchArgument

    @Argument(help: "The row's id.")
    var id: String

    @Flag(help: "Ask and say what would be done; change nothing, here or outside.")
    var dryRun = false

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        let report = try await database.withSession { session in
            try await OutsideWorld.with { outside in
                let watch = target.served.init(session.configuration)
                return try await watch.check(id, isDryRun: dryRun, session: session, outside: outside)
            }
        }
        report.write(asJSON: json)
    }
}
