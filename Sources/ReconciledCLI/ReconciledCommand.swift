import ArgumentParser
import Glibc

@main
struct ReconciledCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconciled",
        abstract: "Rows that wait for the outside world right themselves: a PostgreSQL-backed reconciliation poller.",
        discussion: """
            Configuration comes from --config FILE, RECONCILED_CONFIG or ./reconciled.yaml, and every key of it can be \
            overridden by the environment (database.url is RECONCILED_DATABASE_URL).

            Exit codes: 0 done, 1 it failed, 2 findings (doctor), 64 bad usage, 78 bad configuration.
            """,
        version: "reconciled \(ProgramVersion.text)",
        groupedSubcommands: [
            CommandGroup(name: "Pollers:", subcommands: [RunCommand.self, MigrateCommand.self]),
            CommandGroup(
                name: "Looking:",
                subcommands: [StatusCommand.self, ListCommand.self, ShowCommand.self, DoctorCommand.self]),
            CommandGroup(
                name: "Acting:",
                subcommands: [
                    CheckCommand.self, NudgeCommand.self, ResolveCommand.self, AddCommand.self, RemoveCommand.self,
                    PauseCommand.self, ResumeCommand.self,
                ]),
            CommandGroup(
                name: "Trying things out:",
                subcommands: [DemoCommand.self, SandboxCommand.self, BenchCommand.self, CompletionsCommand.self]),
        ])

    static func main() async {
        signal(SIGPIPE, SIG_IGN)
        StandardOutput.bufferLines()
        do {
            var command = try parseAsRoot(CommandLineWords.normalised(Array(CommandLine.arguments.dropFirst())))
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            guard let failure = CommandFailure(error) else { exit(withError: error) }
            if !failure.message.isEmpty { StandardError.write("reconciled: \(failure.message)\n") }
            Glibc.exit(failure.code)
        }
    }
}
