import ArgumentParser
import PostgresStore

struct RemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Delete a row; its history stays.")

    @OptionGroup var database: DatabaseOptions
    @OptionGroup var target: WatchArgument

    @Argument(help: "The row's id.")
    var id: String

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        let watch = target.served
        guard try await database.withSession({ session in try await watch.desk(session.pool).remove(id) }) else {
            throw watch.noRow(id)
        }
        print(json ? JSONText.object(["removed": JSONText.quoted(id)]) : "removed \(TerminalText.printable(id))")
    }
}
