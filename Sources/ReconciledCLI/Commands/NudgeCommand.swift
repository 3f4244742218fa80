import ArgumentParser
import PostgresStore

struct NudgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nudge", abstract: "Make rows due now, whatever their schedule says.")

    @OptionGroup var database: DatabaseOptions
    @OptionGroup var target: WatchArgument

    @Argument(help: "The rows' ids.")
    var ids: [String]

    @Flag(help: "Print one JSON object: nudged, missing.")
    var json = false

    func validate() throws {
        guard ids.count <= DeskBounds.rowsMax else { throw ValidationError("at most \(DeskBounds.rowsMax) ids") }
    }

    func run() async throws {
        let watch = target.served
        let nudged = try await database.withSession { session in try await watch.desk(session.pool).nudge(ids) }
        let missing = ids.filter { !nudged.contains($0) }
        if json {
            print(
                JSONText.object([
                    "nudged": JSONText.array(nudged.map { JSONText.quoted($0) }),
                    "missing": JSONText.array(missing.map { JSONText.quoted($0) }),
                ]))
        } else {
            for id in nudged { print("nudged \(TerminalText.printable(id))") }
        }
        if let first = missing.first { throw watch.noRow(first) }
    }
}
