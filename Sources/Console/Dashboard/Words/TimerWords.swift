import Timeline

/// Timers in words.
struct TimerWords: WatchWords {
    let openStatuses: Set<String> = ["active"]
    let goodStatuses: Set<String> = ["active", "finished"]

    let columns: [ListColumn] = [
        ListColumn("Every", .text("every"), isNumber: true), ListColumn("Status", .status, isLong: true),
        ListColumn("Next run", .time("next_check_at")),
        ListColumn("Runs", .text("run_count"), isNumber: true),
        ListColumn("Answer", .text("last_status_code"), isNumber: true),
        ListColumn("Calls", .text("url"), isLong: true), .why,
    ]

    let facts: [(column: String, name: String)] = [
        ("every", "Every"), ("anchor_at", "Counted from"), ("next_check_at", "Next run"), ("url", "Calls"),
        ("method", "Method"), ("lane", "Lane"), ("run_count", "Runs"), ("max_runs", "Runs at most"),
        ("ends_at", "Ends"),
        ("last_status_code", "Last answer"), ("last_checked_at", "Last call"),
        ("failure_count", "Failed calls in a row"), ("last_error", "Last error"),
        ("catch_up", "Missed runs"), ("timeout", "Timeout"), ("expect_status", "Expected answer"),
        ("created_at", "Created"), ("metadata", "Metadata"),
    ]

    let reasons: [String: ReasonWords] = [:]

    func summary(_ row: RowFields, _ times: TimeWords) -> String? {
        row["every"].map { "every \($0), \(row["method"] ?? "GET") \(row["url"] ?? "")" }
    }

    func answer(_ entry: RowFields, _ times: TimeWords) -> String {
        if let status = entry.object("answer")?["status_code"] { return "Called: answered \(status)" }
        if let problem = entry.object("answer")?["problem"] { return "Called: \(problem)" }
        return "Called"
    }

    /// A failed call never ends a timer nor puts it before a human, so that the status tells nothing of it. Calls are counted
    /// and not runs, for a run may take several.
    func trouble(_ row: RowFields) -> String? {
        guard let failures = row.integer("failure_count"), failures > 0 else { return nil }
        let code = row["last_status_code"]
        switch row["status"] {
        case "active" where failures > 1:
            return "failing: \(CountWords.text(failures)) calls in a row, "
                + (code.map { "last answer \($0)" } ?? "no answer")
        case "active", "finished": return "the last call failed: " + (code.map { "answer \($0)" } ?? "no answer")
        default: return nil
        }
    }

    func change(_ entry: RowFields, ordinal: Int64?, _ times: TimeWords) -> String? {
        switch entry["reason"] {
        case "MAX_RUNS": "It has run as often as it should: finished"
        case "ENDED": "Its end has come: finished"
        case "MISSED_RUNS_LEFT_OUT": "Runs that were missed too long ago are left out"
        default: nil
        }
    }
}
