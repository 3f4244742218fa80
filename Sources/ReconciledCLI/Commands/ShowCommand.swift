import ArgumentParser
import JSON
import PostgresStore

struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a row, its history, and what each question about it was answered.")

    @OptionGroup var database: DatabaseOptions
    @OptionGroup var target: WatchArgument

    @Argument(help: "The row's id.")
    var id: String

    @Flag(help: "Print one JSON object: row, history, checks.")
    var json = false

    func run() async throws {
        let watch = target.served
        let (row, history, checks) = try await database.withSession { session in
            let desk = watch.desk(session.pool)
            guard let row = try await desk.show(id) else { throw watch.noRow(id) }
            return (row, try await desk.history(id, limit: 100), try await desk.checks(id, limit: 100))
        }
        if json {
            print(JSONText.object(["row": row, "history": JSONText.array(history), "checks": JSONText.array(checks)]))
            return
        }
        try printRow(row, watch)
        try printEntries("History", history)
        try printEntries("Checks", checks)
    }

    private func printRow(_ row: String, _ watch: any ServedWatch.Type) throws {
        guard case .object(let members) = try JSONValue(row: row) else { return }
        let text = RowText(.object(members))
        let width = members.map(\.name.count).max() ?? 0
        for member in members {
            guard var value = text[member.name] else { continue }
            if let note = watch.note(on: member.name, of: text) { value += " (\(note))" }
            let name = member.name + String(repeating: " ", count: width - member.name.count)
            print("\(StandardOutput.usesColour ? Style.dim.applied(to: name) : name)  \(TerminalText.printable(value))")
        }
    }

    private func printEntries(_ title: String, _ entries: [String]) throws {
        print("\n\(StandardOutput.usesColour ? Style.bold.applied(to: title) : title)")
        guard !entries.isEmpty else {
            print("none")
            return
        }
        var table = TextTable([
            .init("AT"), .init("BY"), .init("VERDICT"), .init("STATUS"), .init("REASON"), .init("MS", .right),
            .init("ANSWER"),
        ])
        for entry in entries {
            let text = RowText(try JSONValue(row: entry))
            let before = text["status_before"]
            let after = text["status_after"]
            table.add([
                text.time("at"), text["actor"] ?? text["poller"], text["verdict"] ?? "by hand",
                before == after ? after : "\(before ?? "–") → \(after ?? "–")", text["reason"], text["duration_ms"],
                text["answer"],
            ])
        }
        StandardOutput.write(table)
    }
}
