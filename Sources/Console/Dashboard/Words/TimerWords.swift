import Timeline

/// Timers in words.
struct TimerWords: WatchWords {
    let goodStatuses: Set<String> = ["active", "finished"]

    let columns: [ListColumn] = [
        ListColumn("Every", .text("every"), isNumber: true), .status, ListColumn("Next run", .time("next_check_at")),
        ListColumn("Runs", .text("run_count"), isNumber: true),
        ListColumn("Answer", .text("last_status_code"), isNumber: true), ListColumn("Calls", .text("url")), .why,
    ]

    let facts: [(column: String, name: String)] = [
        ("every", "Every"), ("anchor_at", "Counted from"), ("next_check_at", "Next run"), ("url", "Calls"),
        ("method", "Method"), ("lane", "Lane"), ("run_count", "Runs"), ("max_runs", "Runs at most"),
        ("ends_at", "Ends"),
        ("last_status_code", "Last answer"), ("last_checked_at", "Last call"), ("last_error", "Last error"),
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

    func change(_ entry: RowFields, ordinal: Int64?, _ times: TimeWords) -> String? {
        switch entry["reason"] {
        case "MAX_RUNS": "It has run as often as it should: finished"
        case "ENDED": "Its end has come: finished"
        case "MISSED_RUNS_LEFT_OUT": "Runs that were missed too long ago are left out"
        default: nil
        }
    }
}

/// Deliveries in words.
struct DeliveryWords: WatchWords {
    let goodStatuses: Set<String> = ["delivered"]

    let columns: [ListColumn] = [
        ListColumn("Event", .text("event_type")), ListColumn("About", .text("subject")), .status,
        ListColumn("Endpoint", .text("endpoint")), .nextCheck,
        ListColumn("Failed", .text("failure_count"), isNumber: true),
        ListColumn("Answer", .text("last_status_code"), isNumber: true), .why,
    ]

    let facts: [(column: String, name: String)] = [
        ("event_type", "Event"), ("subject", "About"), ("endpoint", "Endpoint"), ("event_id", "Event's id"),
        ("next_check_at", "Next attempt"), ("last_checked_at", "Last attempt"), ("failure_count", "Failed attempts"),
        ("last_status_code", "Last answer"), ("last_error", "Last error"), ("created_at", "Created"),
    ]

    let reasons: [String: ReasonWords] = [
        "UNDELIVERED": ReasonWords(
            "The endpoint never took it.", "Every attempt of the long schedule failed.",
            "Mend the endpoint, then set this to pending: it is sent again with the same id."),
        "GONE": ReasonWords(
            "The endpoint wants no more.", "It answered 410 Gone.",
            "Take the endpoint out of the configuration, or mend it and set this to pending."),
    ]

    func summary(_ row: RowFields, _ times: TimeWords) -> String? {
        guard let type = row["event_type"], let endpoint = row["endpoint"] else { return nil }
        return "\(type) of \(row["subject"] ?? "?") to \(endpoint)"
    }

    func answer(_ entry: RowFields, _ times: TimeWords) -> String {
        let lane = entry["lane"] ?? "The endpoint"
        if let status = entry.object("answer")?["status_code"] { return "\(lane) answered \(status)" }
        if let problem = entry.object("answer")?["problem"] { return "\(lane): \(problem)" }
        return "Sent to \(lane)"
    }

    func change(_ entry: RowFields, ordinal: Int64?, _ times: TimeWords) -> String? {
        guard entry["status_after"] == "delivered", entry["status_before"] != "delivered" else { return nil }
        // Its checks are more than its attempts: it may have waited for an earlier one.
        let attempt = entry.object("answer")?["attempt"].flatMap { Int64($0) }
        return "Delivered to \(entry["lane"] ?? "the endpoint")"
            + (attempt.map { " at the \(CountWords.ordinal($0)) attempt" } ?? "")
    }
}
