import Foundation
import Hummingbird
import JSON
import PostgresStore
import Timeline

extension Dashboard {
    private static let pageMax = 50
    private static let oldestDueMax = 200
    private static let due = "due"

    func list(_ watch: any ConsoleWatch, _ request: Request, _ context: ConsoleContext) async throws -> Response {
        let parameters = request.uri.queryParameters
        func parameter(_ name: String) -> String { parameters.get(name) ?? "" }
        let chosen = parameter("status")
        guard chosen.isEmpty || chosen == Self.due || watch.statuses.contains(chosen) else {
            throw Problem(.badRequest, "there is no such status", allowed: watch.statuses.joined(separator: ", "))
        }
        let prefix = parameter("id")
        guard Self.isName(prefix), Self.isName(parameter("after")) else {
            throw Problem(.badRequest, "no id is like that")
        }
        if !parameter("after").isEmpty { try watch.validate(after: parameter("after"), as: "after") }
        let desk = CallerDesk(watch, context.caller)
        var found = RowPage()
        if chosen == Self.due {
            let lanes = watch.laneNames + (try await watch.unconfiguredLanes())
            found.rows = try await desk.oldestDue(lanes: lanes, limit: Self.oldestDueMax)
        } else {
            let filter = RowFilter(status: chosen.isEmpty ? nil : chosen, prefix: prefix, after: parameter("after"))
            found = try await desk.page(filter, limit: Self.pageMax)
        }
        let rows = try found.rows.map { try RowFields($0) }
        let path = "/\(watch.name)"
        func address(after: String?) -> String {
            let fields = [("status", chosen), ("id", prefix), ("after", after ?? "")].filter { !$0.1.isEmpty }
            return fields.isEmpty
                ? path : path + "?" + fields.map { "\($0.0)=\(Self.encoded($0.1))" }.joined(separator: "&")
        }
        let words = Words.of(watch.name)
        let times = TimeWords(now: .wallClock)
        var model: Model = [
            "heading": watch.name.prefix(1).uppercased() + watch.name.dropFirst(), "path": path, "prefix": prefix,
            "statuses": Self.statusOptions(watch, chosen: chosen),
            "columns": ([ListColumn("Id", .text("id"))] + words.columns).map {
                ["name": $0.name, "isNumber": $0.isNumber] as Model
            },
            "rows": rows.map { Self.line($0, watch, words, times) }, "hasRows": !rows.isEmpty,
            "none": Self.none(watch, chosen: chosen, prefix: prefix, isOver: found.next == nil),
            "nextLabel": rows.isEmpty ? "Look further" : "Next page",
        ]
        if !parameter("after").isEmpty { model["first"] = address(after: nil) }
        model.set("next", found.next.map { address(after: $0) })
        return page(
            "list", title: watch.name, here: path, model, request, context, reviews: try await reviewCount())
    }

    private static func statusOptions(_ watch: any ConsoleWatch, chosen: String) -> [Model] {
        let all: [(String, String)] =
            [("", "any"), (due, "due now, the oldest first")] + watch.statuses.map { ($0, $0) }
        return all.map { ["value": $0.0, "name": $0.1, "isChosen": $0.0 == chosen] }
    }

    private static func none(_ watch: any ConsoleWatch, chosen: String, prefix: String, isOver: Bool) -> String {
        if !isOver { return "None among the 20,000 rows that were looked at." }
        if chosen == due { return "Nothing is due at this moment." }
        if chosen.isEmpty, prefix.isEmpty {
            return "There are no \(watch.name) yet. They appear here once the application inserts them."
        }
        return "No \(watch.noun) is like that."
    }

    private static func line(
        _ row: RowFields, _ watch: any ConsoleWatch, _ words: any WatchWords, _ times: TimeWords
    ) -> Model {
        let id = row["id"] ?? ""
        let tone: Narrative.Entry.Tone =
            row["review_reason"] != nil ? .hand : row["last_verdict"] == "failed" ? .bad : .plain
        return [
            "id": id, "path": path(watch.name, id), "tone": tone.rawValue,
            "cells": words.columns.map { cell($0, of: row, watch, words, times) },
        ]
    }

    private static func cell(
        _ column: ListColumn, of row: RowFields, _ watch: any ConsoleWatch, _ words: any WatchWords, _ times: TimeWords
    ) -> Model {
        var model: Model = [
            "name": column.name, "isNumber": column.isNumber, "isLong": column.isLong, "text": "",
        ]
        switch column.content {
        case .status:
            let status = row["status"] ?? "–"
            model["text"] = words.trouble(row).map { "\(status), \($0)" } ?? status
        case .text(let name): model["text"] = row[name] ?? "–"
        case .note(let name): model["text"] = watch.note(on: name, of: row.json) ?? row[name] ?? "–"
        case .time(let name):
            if let time = row.time(name) {
                model["time"] = ["iso": time.description, "text": times.relative(time)]
            } else {
                model["text"] = "at rest"
            }
        case .progress:
            guard let progress = words.progress(row) else { break }
            model["progress"] = progress.percent
            model["text"] = progress.text
        case .why:
            if let reason = row["review_reason"] {
                model["text"] = words.reason(reason).title
            } else {
                model["text"] = row["last_error"] ?? ""
            }
        }
        return model
    }
}

extension Parameters {
    /// A query parameter, decoded.
    func get(_ name: String) -> String? { self[name[...]].map { String($0) } }
}
