import ArgumentParser
import JSON
import Payments
import Postgres
import PostgresStore

struct ResolveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resolve", abstract: "Decide about a row by hand; recorded in its history with your name.",
        discussion: """
            --status pending asks again from the start: counters and reason are cleared, and a new give_up_at is set. \
            Every other status puts the row to rest.
            """)

    enum Status: String, CaseIterable, ExpressibleByArgument {
        case pending, paid, closed, cancelled, review
    }

    @OptionGroup var database: DatabaseOptions
    @OptionGroup var target: WatchArgument

    @Argument(help: "The row's id.")
    var id: String

    @Option(help: "pending, paid, closed, cancelled or review.")
    var status: Status

    @Option(help: ArgumentHelp("Why; kept in the history.", valueName: "TEXT"))
    var note: String

    @Option(help: ArgumentHelp("The gateway's transaction; required for paid.", valueName: "TXN"))
    var txn: String?

    @Flag(help: "Print the row as a JSON object.")
    var json = false

    func validate() throws {
        guard !note.allSatisfy(\.isWhitespace) else { throw ValidationError("--note says why, in words") }
        guard note.utf8.count <= 10_000 else { throw ValidationError("--note has at most 10000 bytes") }
        guard status != .paid || txn?.isEmpty == false else {
            throw ValidationError("--status paid needs --txn, the gateway's transaction that proves it")
        }
        guard txn.map({ (1...255).contains($0.unicodeScalars.count) }) ?? true else {
            throw ValidationError("--txn has 1 to 255 characters")
        }
    }

    func run() async throws {
        let row = try await database.withSession { session in
            guard let before = try await session.orders.show(id) else { throw CommandFailure.noOrder(id) }
            let gateway = OrderText(try JSONValue(parsing: before))["gateway"]
            let policy = session.configuration.gateways.first { $0.name == gateway }?.policy ?? OrderPolicy()
            do {
                return try await session.orders.resolve(
                    id, status: status.rawValue, note: note,
                    OrderResolution(transaction: txn, giveUpAfter: policy.giveUpAfter))
            } catch let error as PostgresError where error.sqlState == "23505" {
                throw CommandFailure("another order of this gateway holds the transaction \(JSONText.quoted(txn))")
            }
        }
        guard let row else { throw CommandFailure.noOrder(id) }
        if json {
            print(row)
        } else {
            print(
                "\(TerminalText.printable(id)) is \(OrderText(try JSONValue(parsing: row))["status"] ?? status.rawValue)"
            )
        }
    }
}
