import ArgumentParser
import Logging
import PostgresStore
import Timeline

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "What is late, which lane is ill, what needs a human.",
        discussion: """
            Large tables are not counted whole: 10,000+ is that or more, ~2,000,000 is the database's estimate. What is \
            due, late or waits for a human is never estimated.
            """)

    @OptionGroup var database: DatabaseOptions

    @Flag(help: "Keep looking until Ctrl-C: redrawn on a terminal, else one report after the other.")
    var watch = false

    @Option(
        help: ArgumentHelp("With --watch: how often to look, 100ms to 1h; 1s by default.", valueName: "DURATION"),
        transform: { text in
            guard let interval = Duration(text: text), StatusCommand.intervals.contains(interval) else {
                throw ValidationError("a duration between 100ms and 1h is wanted, such as 500ms or 5s")
            }
            return interval
        })
    var interval: Duration?

    @Flag(help: "Print one JSON object; with --watch one a line.")
    var json = false

    private static let intervals = Duration.milliseconds(100)...Duration.seconds(3_600)

    func validate() throws {
        guard interval == nil || watch else { throw ValidationError("--interval goes with --watch") }
    }

    func run() async throws {
        let isDrawn = watch && !json && StandardOutput.isTerminal
        // A log line on the terminal that is drawn on would stand across the picture.
        let isQuiet = isDrawn && Descriptor.isTerminal(2)
        try await database.withSession(defaultLogLevel: isQuiet ? .critical : .warning) { session in
            guard watch else {
                let report = try await StatusReport(session)
                StandardOutput.write(
                    json ? report.json + "\n" : report.text(usesColour: StandardOutput.usesColour))
                return
            }
            let interval = interval ?? .seconds(1)
            let output: any LiveOutput =
                isDrawn
                ? LiveScreen(interval: interval, usesColour: StandardOutput.usesColour)
                : LiveLines(isJSON: json, logger: session.logger)
            try await LiveStatus(session: session, interval: interval, output: output).run()
        }
    }
}
