import ArgumentParser
import PostgresStore
import Timeline

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "What is late, which lane is ill, what needs a human.")

    @OptionGroup var database: DatabaseOptions

    @Flag(help: "Look again every two seconds until interrupted.")
    var watch = false

    @Flag(help: "Print one JSON object; with --watch one a line.")
    var json = false

    func run() async throws {
        try await database.withSession { session in
            while true {
                let report = try await StatusReport(session)
                if json {
                    print(report.json)
                } else {
                    let clear = watch && StandardOutput.isTerminal ? "\u{1B}[H\u{1B}[2J" : ""
                    StandardOutput.write(clear + report.text(usesColour: StandardOutput.usesColour))
                }
                guard watch else { return }
                try await Task.sleep(for: .seconds(2))
            }
        }
    }
}
