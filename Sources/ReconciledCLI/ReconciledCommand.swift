import ArgumentParser

@main
struct ReconciledCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "reconciled", subcommands: [BenchCommand.self, DemoCommand.self])
}
