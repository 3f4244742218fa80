import ArgumentParser
import JSON
import PostgresStore

struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List rows of a watch.")

    @OptionGroup var database: DatabaseOptions
    @OptionGroup var target: WatchArgument

    @Option(help: "Only rows in this status.")
    var status: String?

    @Flag(help: "Only rows that are due now.")
    var due = false

    @Option(help: ArgumentHelp("At most so many rows, by id.", valueName: "N"))
    var limit = 100

    @Option(help: ArgumentHelp("Only rows after this id: the last one of the page before.", valueName: "ID"))
    var after = ""

    @Flag(help: "Print a JSON array of objects by column name.")
    var json = false

    func validate() throws {
        guard (1...DeskBounds.rowsMax).contains(limit) else {
            throw ValidationError("--limit is between 1 and \(DeskBounds.rowsMax)")
        }
    }

    func run() async throws {
        let rows = try await database.withSession { session in
            try await session.orders.list(status: status, dueOnly: due, after: after, limit: limit)
        }
        if json {
            print(JSONText.array(rows))
            return
        }
        var table = TextTable([
            .init("ID"), .init("GATEWAY"), .init("STATUS"), .init("AMOUNT", .right), .init("NEXT CHECK"),
            .init("CHECKS", .right), .init("LAST"), .init("WHY"),
        ])
        for row in rows {
            let order = OrderText(try JSONValue(parsing: row))
            table.add(
                [
                    order["id"], order["gateway"], order["status"], order.amount,
                    order.time("next_check_at") ?? "at rest",
                    order["check_count"], order["last_verdict"], order["review_reason"] ?? order["last_error"],
                ],
                style: order.style)
        }
        StandardOutput.write(table)
        if rows.count == limit { StandardError.write("… more: --after \(OrderText.id(of: rows.last) ?? "")\n") }
    }
}
