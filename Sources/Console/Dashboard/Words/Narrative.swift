import Timeline

/// A row's story in plain words, from what its history and checks have.
struct Narrative {
    struct Entry: Hashable {
        enum Tone: String {
            /// The row is where it should be.
            case good
            case bad
            /// A person did it, or must do something.
            case hand
            case plain
        }

        var at: Timestamp
        var text: String
        var tone: Tone
        /// What was answered, as it is stored.
        var raw: String?
    }

    let words: any WatchWords
    let times: TimeWords

    /// - Parameters:
    ///   - history: oldest first.
    ///   - checks: oldest first. A check that changed something is in both; it is told once.
    ///   - areChecksWhole: whether `checks` goes back to the row's first one, so that they can be counted.
    func entries(row: RowFields, history: [RowFields], checks: [RowFields], areChecksWhole: Bool) -> [Entry] {
        var entries: [Entry] = []
        if let created = row.time("created_at"), !history.contains(where: { $0["reason"] == "ADDED" }) {
            entries.append(Entry(at: created, text: "Created", tone: .plain))
        }
        // Where checks are not recorded, the row alone knows of those that failed.
        if let trouble = words.trouble(row), let at = row.time("last_checked_at"),
            !checks.contains(where: { $0.time("at") == at })
        {
            let sentence = trouble.prefix(1).uppercased() + trouble.dropFirst()
            let text = row["last_error"].map { "\(sentence). \($0)" } ?? sentence
            entries.append(Entry(at: at, text: text, tone: .bad))
        }
        // One statement wrote both, so they carry the same instant.
        let told = Set(history.filter { $0["actor"] == nil }.compactMap { $0.time("at") })
        var ordinals: [Timestamp: Int64] = [:]
        for (index, check) in checks.enumerated() {
            if let at = check.time("at") { ordinals[at] = Int64(index) + 1 }
        }
        for entry in history {
            guard let at = entry.time("at") else { continue }
            entries.append(change(entry, at: at, ordinal: areChecksWhole ? ordinals[at] : nil))
        }
        entries += answers(
            checks.filter { check in check.time("at").map { !told.contains($0) } ?? false },
            between: history.compactMap { $0.time("at") })
        return entries.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
    }

    /// One change, told without the row's story around it.
    func change(_ entry: RowFields, at: Timestamp, ordinal: Int64? = nil) -> Entry {
        if let actor = entry["actor"] { return byHand(entry, actor: actor, at: at) }
        let raw = entry.object("answer")?.pretty
        let after = entry["status_after"] ?? "?"
        if entry["verdict"] == "overtaken" {
            // It may have been waiting all the time, with what was asked about changed.
            let meanwhile =
                words.openStatuses.contains(after)
                ? "Someone had changed it meanwhile: it is asked about again"
                : "Someone else had made it \(after) meanwhile: that stays as it is"
            return Entry(at: at, text: "\(words.answer(entry, times)). \(meanwhile)", tone: .plain, raw: raw)
        }
        if let text = words.change(entry, ordinal: ordinal, times) {
            return Entry(at: at, text: text, tone: words.goodStatuses.contains(after) ? .good : .plain, raw: raw)
        }
        if entry["verdict"] == "review" || after == "review" {
            let reason = words.reason(entry["reason"] ?? "")
            return Entry(
                at: at, text: "\(words.answer(entry, times)). Put before a human: \(reason.title)", tone: .hand,
                raw: raw)
        }
        let before = entry["status_before"] ?? "?"
        let what = before == after ? "it stays \(after)" : "\(before) became \(after)"
        return Entry(at: at, text: "\(words.answer(entry, times)): \(what)", tone: .plain, raw: raw)
    }

    private func byHand(_ entry: RowFields, actor: String, at: Timestamp) -> Entry {
        let answer = entry.object("answer")
        let note = answer?["note"].map { ": “\($0)”" } ?? ""
        let after = entry["status_after"] ?? "?"
        let text =
            switch entry["reason"] {
            case "NUDGED": "\(actor) asked for a check at once"
            case "ADDED": "\(actor) added it"
            case "REMOVED": "\(actor) removed it from the watch"
            case "RESOLVED":
                "\(actor) decided: \(after)" + (answer?["txn"].map { ", transaction \($0)" } ?? "") + note
            case "PAUSED": "\(actor) paused it" + note
            case "RESUMED": "\(actor) had it run again"
            default: "\(actor): \(after)" + note
            }
        return Entry(at: at, text: text, tone: .hand, raw: nil)
    }

    /// Answers that changed nothing: equal ones in a row become one entry. Each change ends such a run: what came after it
    /// is not told before it.
    private func answers(_ checks: [RowFields], between changes: [Timestamp]) -> [Entry] {
        var entries: [Entry] = []
        var run: (text: String, first: Timestamp, last: Timestamp, count: Int64, raw: String?, isFailed: Bool)?
        func finish() {
            guard let run else { return }
            var text = run.text
            if run.count > 1 {
                text += " (\(CountWords.text(run.count)) times, the last at \(times.text(run.last)))"
            }
            entries.append(Entry(at: run.first, text: text, tone: run.isFailed ? .bad : .plain, raw: run.raw))
        }
        for check in checks {
            guard let at = check.time("at") else { continue }
            let text = words.answer(check, times)
            let raw = check.object("answer")?.pretty
            if let begun = run, begun.text == text, !changes.contains(where: { begun.last < $0 && $0 <= at }) {
                run?.last = at
                run?.count += 1
                run?.raw = raw
            } else {
                finish()
                run = (text, at, at, 1, raw, check["verdict"] == "failed")
            }
        }
        finish()
        return entries
    }
}
