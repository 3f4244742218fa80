import ArgumentParser
import Console
import JSON

struct ResolveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resolve", abstract: "Decide about a row by hand; recorded in its history with your name.",
        discussion: Watch.allServed.map { "\($0.name): \($0.decisionsHelp)" }.joined(separator: "\n\n"))

    @OptionGroup var database: DatabaseOptions
    @OptionGroup var target: WatchArgument

    @Argument(help: "The row's id.")
    var id: String

    @Option(help: "The status that you decide for.")
    var status: String

    @Option(help: ArgumentHelp("Why; kept in the history.", valueName: "TEXT"))
    var note: String

    @Option(help: ArgumentHelp("Orders: the gateway's transaction; required for paid.", valueName: "TXN"))
    var txn: String?

    @Flag(help: "Print the row as a JSON object.")
    var json = false

    func validate() throws {
        guard !note.allSatisfy(\.isWhitespace) else { throw ValidationError("--note says why, in words") }
        guard note.utf8.count <= 10_000 else { throw ValidationError("--note has at most 10000 bytes") }
        guard target.served.decisions.contains(status) else {
            throw ValidationError(
                "--status is \(target.served.decisions.joined(separator: ", ")) for \(target.watch.rawValue)")
        }
        do throws(InputError) {
            try target.served.validate(decision)
        } catch {
            throw ValidationError("--\(error)")
        }
    }

    private var decision: Decision { Decision(status: status, note: note, transaction: txn) }

    func run() async throws {
        let watch = target.served
        let row = try await database.withSession { session in
            try await watch.init(session.configuration).resolve(id, decision, pool: session.pool)
        }
        guard let row else { throw watch.noRow(id) }
        if json {
            print(row)
        } else {
            print("\(TerminalText.printable(id)) is \(RowText(try JSONValue(row: row))["status"] ?? status)")
        }
    }
}
