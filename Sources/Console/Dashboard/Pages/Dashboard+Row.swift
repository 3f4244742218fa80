import Foundation
import Hummingbird
import JSON
import PostgresStore
import Timeline

extension Dashboard {
    private static let entriesMax = 200

    /// A decision that was refused: what to say of it, and what had been typed.
    struct Draft {
        var refusal: Refusal
        var fields: [String: String]
    }

    func row(_ watch: any ConsoleWatch, _ request: Request, _ context: ConsoleContext) async throws -> Response {
        try await rowPage(watch, try Self.segment("id", context), request, context)
    }

    func rowPage(
        _ watch: any ConsoleWatch, _ id: String, draft: Draft? = nil, _ request: Request, _ context: ConsoleContext
    ) async throws -> Response {
        let desk = CallerDesk(watch, context.caller)
        guard let text = try await desk.show(id) else {
            throw Problem(.notFound, "there is no such \(watch.noun)")
        }
        let row = try RowFields(text)
        let history = try await desk.history(id, limit: Self.entriesMax).map { try RowFields($0) }
        let checks = try await desk.checks(id, limit: Self.entriesMax).map { try RowFields($0) }
        let words = Words.of(watch.name)
        let times = TimeWords(now: .wallClock)
        let narrative = Narrative(words: words, times: times)
        let told = narrative.entries(
            row: row, history: history, checks: checks,
            areChecksWhole: row.integer("check_count") == Int64(checks.count))
        var model = rowModel(
            row, watch, words, times, isOpen: row["review_reason"] != nil || draft != nil, back: "row", draft: draft)
        // The address of a form that was refused is no page: this is what a script reads again.
        model["page"] = Self.path(watch.name, id)
        if let draft { model["flash"] = ["text": draft.refusal.text, "tone": "bad"] }
        model["listPath"] = "/\(watch.name)"
        model["watch"] = watch.name.prefix(1).uppercased() + watch.name.dropFirst()
        model["noun"] = watch.noun
        model["timeline"] = (told + [Self.ahead(row, watch, times)].compactMap(\.self)).map { entry in
            ["text": entry.text, "tone": entry.tone.rawValue]
                .with("time", times.model(entry.at)).with("raw", entry.raw)
        }
        model["facts"] = facts(row, watch, words, times)
        model["stored"] = row.pretty
        return page(
            "row", title: "\(watch.noun) \(id)", here: "/\(watch.name)", model, status: draft?.refusal.status ?? .ok,
            request, context, reviews: try await reviewCount())
    }

    /// What a row's page and the review queue tell of it alike.
    func rowModel(
        _ row: RowFields, _ watch: any ConsoleWatch, _ words: any WatchWords, _ times: TimeWords, isOpen: Bool,
        back: String, draft: Draft? = nil
    ) -> Model {
        let id = row["id"] ?? ""
        let status = row["status"] ?? "?"
        let trouble = words.trouble(row)
        let tone: Narrative.Entry.Tone =
            row["review_reason"] != nil
            ? .hand : trouble != nil ? .bad : words.goodStatuses.contains(status) ? .good : .plain
        var model: Model = [
            "id": id, "path": Self.path(watch.name, id), "status": status, "tone": tone.rawValue, "isOpen": isOpen,
            "seenReason": row["review_reason"] ?? "", "back": back, "takesTransaction": watch.takesTransaction,
            "decisions": watch.decisions.map { ["status": $0, "isChosen": $0 == draft?.fields["status"]] as Model },
            "decisionsHelp": watch.decisionsHelp, "txn": draft?.fields["txn"] ?? "",
            "note": draft?.fields["note"] ?? "",
            "heading": "\(watch.noun.prefix(1).uppercased() + watch.noun.dropFirst()) \(id)",
        ]
        model.set("trouble", trouble)
        let amount = watch.note(on: "amount_minor", of: row.json)
        let summary = [amount, words.summary(row, times)].compactMap(\.self).joined(separator: " ")
        if !summary.isEmpty { model["summary"] = summary }
        if let progress = words.progress(row) {
            model["progress"] = ["value": progress.percent, "text": progress.text]
        }
        let evidence = row.object("review_detail").map { detail in
            words.evidence(detail) { watch.note(on: "amount_minor", of: $0.json) }
        }
        model["evidence"] = (evidence ?? []).map { ["name": $0.name, "text": $0.text] as Model }
        if let reason = row["review_reason"].map(words.reason) {
            model["review"] = ["reason": reason.title, "meaning": reason.meaning, "advice": reason.advice]
            model["reason"] = reason.title
            model["meaning"] = reason.meaning
            model["advice"] = reason.advice
        }
        return model
    }

    /// What comes next, as the last line of the story.
    private static func ahead(_ row: RowFields, _ watch: any ConsoleWatch, _ times: TimeWords) -> Narrative.Entry? {
        guard let next = row.time("next_check_at"), next > .distantPast, next < .distantFuture else { return nil }
        if let leased = row.time("lease_expires_at"), leased > times.now {
            return Narrative.Entry(at: times.now, text: "Is being checked at this moment", tone: .plain)
        }
        let what = next > times.now ? "Next check \(times.relative(next))" : "Due since \(times.text(next))"
        return Narrative.Entry(at: max(next, times.now), text: what, tone: .plain)
    }

    private func facts(
        _ row: RowFields, _ watch: any ConsoleWatch, _ words: any WatchWords, _ times: TimeWords
    ) -> [Model] {
        words.facts.compactMap { column, name in
            guard let value = row[column], value != "{}", (column, value) != ("failure_count", "0") else {
                return column == "next_check_at" ? ["name": name, "text": "none: at rest"] : nil
            }
            if column.hasSuffix("_at"), let time = row.time(column) {
                return ["name": name, "text": ""].with("time", times.model(time))
            }
            return ["name": name, "text": watch.note(on: column, of: row.json) ?? value]
        }
    }
}
