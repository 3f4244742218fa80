import JSON
import Timeline

/// A row's JSON object as people read it.
struct RowText {
    private let row: JSONValue

    init(_ row: JSONValue) {
        self.row = row
    }

    /// A column as text; nil for NULL.
    subscript(column: String) -> String? {
        switch row[column] {
        case nil, .null: nil
        case .string(let text): text
        case .number(let text): text
        case .bool(let value): value ? "true" : "false"
        case let value?: value.text
        }
    }

    /// To the second, as stored: in UTC.
    func time(_ column: String) -> String? {
        guard let text = self[column] else { return nil }
        guard let timestamp = Timestamp(text) else { return text }
        return timestamp.wholeSeconds.description
    }

    /// By how much the row is due already and nobody holds it; nil if it is not.
    var late: String? {
        let now = Timestamp.wallClock
        guard let due = self["next_check_at"].flatMap({ Timestamp($0) }), due < now - .seconds(1), due > .distantPast,
            self["lease_expires_at"].flatMap({ Timestamp($0) }).map({ $0 <= now }) ?? true
        else { return nil }
        return StatusReport.rounded(now - due)
    }

    var style: Style? {
        if self["review_reason"] != nil { return .yellow }
        return self["last_verdict"] == "failed" ? .red : nil
    }

    static func id(of row: String?) -> String? {
        guard let row, let value = try? JSONValue(parsing: row) else { return nil }
        return RowText(value)["id"]
    }
}

extension Timestamp {
    /// People seldom want more.
    var wholeSeconds: Timestamp { Timestamp(microseconds: microseconds / 1_000_000 * 1_000_000) }
}
