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
        guard !after.isEmpty else { return }
        do throws(InputError) {
            try target.served.validate(after: after, as: "after")
        } catch {
            throw ValidationError("--\(error)")
        }
    }

    func run() async throws {
        let watch = target.served
        let filter = RowFilter(status: status, isDue: due, after: after)
        let page = try await database.withSession { session in
            try await watch.desk(session.pool).rows(filter, limit: limit)
        }
        let rows = page.rows
        // A mapped table may have words of its own.
        if rows.isEmpty, let status, !watch.statuses.contains(status) {
            StandardError.write("no row is \(status); the usual ones: \(watch.statuses.joined(separator: ", "))\n")
        }
        if json {
            print(JSONText.array(rows))
            return
        }
        var table = TextTable(watch.columns)
        for row in rows {
            let text = RowText(try JSONValue(row: row))
            table.add(watch.cells(of: text), style: text.style)
        }
        StandardOutput.write(table)
        if let next = page.next { StandardError.write("… more: --after \(next)\n") }
    }
}
