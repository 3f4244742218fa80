import ArgumentParser
import Foundation
import JSON
import Postgres
import PostgresStore

struct AddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add rows from a JSON object or an array of them, by column name.",
        discussion: """
            Adding what is there already changes nothing: a row whose sent fields are equal exists, another one differs, \
            and then the command fails. Nothing is added if one of the objects is not allowed. Prints a table on a \
            terminal, and a JSON array of {id, outcome} elsewhere.
            """)

    static let bytesMax = 64 << 20

    @OptionGroup var database: DatabaseOptions
    @OptionGroup var target: WatchArgument

    @Option(name: .customLong("json"), help: ArgumentHelp("What to add; - is standard input.", valueName: "FILE|-"))
    var file: String

    func run() async throws {
        let watch = target.served
        let objects = try Self.validated(try read(), for: watch.init(try database.common.configuration()))
        guard !objects.isEmpty else { throw CommandFailure("there is nothing to add") }
        let outcomes = try await database.withSession { session in
            var outcomes: [AddedRow] = []
            let desk = watch.desk(session.pool)
            var rest = objects[...]
            while !rest.isEmpty {
                do {
                    outcomes += try await desk.add(JSONText.array(rest.prefix(1_000).map { $0 }))
                } catch let error as PostgresError where error.sqlState == "23505" {
                    throw CommandFailure(watch.conflict(with: nil))
                }
                rest = rest.dropFirst(1_000)
            }
            return outcomes
        }
        if StandardOutput.isTerminal {
            var table = TextTable([.init("ID"), .init("OUTCOME")])
            for row in outcomes {
                let differing = row.differing.isEmpty ? "" : ": \(row.differing.joined(separator: ", "))"
                table.add([row.id, row.outcome.rawValue + differing], style: row.outcome == .differs ? .red : nil)
            }
            StandardOutput.write(table)
        } else {
            let objects = outcomes.map {
                JSONText.object(["id": JSONText.quoted($0.id), "outcome": JSONText.quoted($0.outcome.rawValue)])
            }
            print(JSONText.array(objects))
        }
        let differing = outcomes.count { $0.outcome == .differs }
        if differing > 0 {
            throw CommandFailure(
                "\(differing) of the \(watch.name) exist with other values; nothing of them was changed")
        }
    }

    private func read() throws -> [UInt8] {
        let handle: FileHandle
        if file == "-" {
            handle = .standardInput
        } else {
            guard let opened = FileHandle(forReadingAtPath: file) else {
                throw CommandFailure("the file \(JSONText.quoted(file)) cannot be read")
            }
            handle = opened
        }
        let data = try handle.read(upToCount: Self.bytesMax + 1) ?? Data()
        guard data.count <= Self.bytesMax else { throw CommandFailure("--json has at most 64MiB") }
        return Array(data)
    }

    /// Each object's text, after every one of them was found to be a row of the watch.
    static func validated(_ bytes: [UInt8], for watch: any ServedWatch) throws -> [String] {
        let document: JSONValue
        do {
            document = try JSONValue(parsing: bytes)
        } catch {
            throw CommandFailure("--json: \(error)")
        }
        let values = if case .array(let elements) = document { elements } else { [document] }
        var ids: Set<String> = []
        return try values.enumerated().map { index, value in
            do throws(InputError) {
                guard ids.insert(try watch.validate(value)).inserted else {
                    throw InputError("id", problem: "stands in the input twice", allowed: "each id once")
                }
            } catch {
                throw CommandFailure(values.count > 1 ? "\(type(of: watch).noun) \(index + 1): \(error)" : "\(error)")
            }
            return value.asRow.text
        }
    }
}
