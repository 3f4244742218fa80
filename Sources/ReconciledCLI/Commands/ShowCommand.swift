import ArgumentParser
import JSON
import Payments

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
        let (row, history, checks) = try await database.withSession { session in
            guard let row = try await session.orders.show(id) else { throw CommandFailure.noOrder(id) }
            return (row, try await session.orders.history(id), try await session.orders.checks(id))
        }
        if json {
            print(JSONText.object(["row": row, "history": JSONText.array(history), "checks": JSONText.array(checks)]))
            return
        }
        try printRow(row)
        try printEntries("History", history)
        try printEntries("Checks", checks)
    }

    private func printRow(_ row: String) throws {
        guard case .object(let members) = try JSONValue(parsing: row) else { return }
        let order = OrderText(.object(members))
        let width = members.map(\.name.count).max() ?? 0
        for member in members {
            guard var value = order[member.name] else { continue }
            if member.name == "amount_minor", let amount = order.amount { value += " (\(amount))" }
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
            let text = OrderText(try JSONValue(parsing: entry))
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

extension CommandFailure {
    static func noOrder(_ id: String) -> CommandFailure {
        CommandFailure("there is no order \(TerminalText.printable(JSONText.quoted(String(id.prefix(100)))))")
    }
}
