import Timeline

/// Deliveries in words.
struct DeliveryWords: WatchWords {
    let openStatuses: Set<String> = ["pending"]
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
