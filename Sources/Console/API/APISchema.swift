import JSON

/// JSON Schemas (draft 2020-12) of what the HTTP interface takes and answers.
enum APISchema {
    static let id = #"{"type":"string","minLength":1,"maxLength":255}"#
    static let bool = #"{"type":"boolean"}"#
    static let cursor = #"{"type":"string","minLength":2,"maxLength":2048}"#
    static let eventID = #"{"type":"integer","minimum":0,"maximum":\#(Int64.max)}"#
    private static let time = #"{"type":["string","null"],"format":"date-time"}"#
    private static let text = #"{"type":["string","null"]}"#
    private static let count = #"{"type":"integer","minimum":0}"#

    static func integer(_ range: ClosedRange<Int>) -> String {
        #"{"type":"integer","minimum":\#(range.lowerBound),"maximum":\#(range.upperBound)}"#
    }

    static func choice(_ values: [String]) -> String {
        #"{"type":"string","enum":[\#(values.map { "\"\($0)\"" }.joined(separator: ","))]}"#
    }

    static func array(_ name: String, of element: String) -> String {
        object([(name, list(element))])
    }

    static let problem = reference("Problem")

    static func reference(_ name: String) -> String { ##"{"$ref":"#/components/schemas/\##(name)"}"## }

    static func row(_ watch: any ConsoleWatch) -> String { reference("\(watch.noun)_row") }
    static func input(_ watch: any ConsoleWatch) -> String { reference(watch.noun) }

    static func page(_ watch: any ConsoleWatch) -> String {
        object([
            (watch.name, list(row(watch))),
            ("next", #"{"type":["string","null"],"description":"cursor of the next page"}"#),
        ])
    }

    static func entries(_ name: String) -> String { array(name, of: reference("Entry")) }

    static func outcome(_ outcomes: [String]) -> String { object([("id", id), ("outcome", choice(outcomes))]) }

    static let lane = reference("Lane")
    static let poller = reference("Poller")

    /// - Parameter watches: whose rows are counted by status.
    static func stats(_ watches: [String]) -> String {
        let precision = choice(["exact", "at_least", "estimated"])
        let seconds = #"{"type":["number","null"]}"#
        let lane = object([
            ("lane", #"{"type":"string"}"#), ("watch", text), ("waiting", count), ("due", count), ("in_flight", count),
            ("precision", object([("waiting", precision), ("due", precision), ("in_flight", precision)])),
            ("late_seconds", seconds), ("paused", bool), ("paused_by", text), ("pause_reason", text),
            ("held_seconds", seconds), ("configured", bool),
        ])
        let statuses = object([
            ("status", #"{"type":"string"}"#), ("review_reason", text), ("count", count), ("precision", precision),
        ])
        return object(
            [("read_at", #"{"type":"string","format":"date-time"}"#), ("lanes", list(lane)), ("pollers", list("{}"))]
                + watches.map { ($0, list(statuses)) })
    }

    private static func list(_ element: String) -> String { #"{"type":"array","items":\#(element)}"# }

    static func why(lengthMax: Int) -> String {
        #"{"type":"object","additionalProperties":false,"required":["why"],"properties":{"why":\#(reason(lengthMax))}}"#
    }

    static func decision(_ watch: any ConsoleWatch, noteLengthMax: Int) -> String {
        let text = #""type":["string","null"],"maxLength":\#(FieldRules.textLengthMax),"pattern":"^[^\\u0000]*$""#
        let transaction =
            watch.takesTransaction
            ? #","txn":{\#(text),"#
                + #""description":"The gateway's transaction; paid needs it."}"# : ""
        let seen =
            #""seen_status":{\#(text),"#
            + #""description":"The row's status when it was looked at: 409 if it is another by now."},"#
            + #""seen_reason":{\#(text),"#
            + #""description":"With seen_status: the row's review_reason then."}"#
        return #"{"type":"object","additionalProperties":false,"required":["status","note"],"properties":{"#
            + #""status":\#(choice(watch.decisions)),"note":\#(reason(noteLengthMax)),\#(seen)\#(transaction)}}"#
    }

    private static func reason(_ lengthMax: Int) -> String {
        #"{"type":"string","minLength":1,"maxLength":\#(lengthMax),"pattern":"^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$"}"#
    }

    /// An object that has exactly these members.
    private static func object(_ members: [(name: String, schema: String)]) -> String {
        let properties = members.map { "\"\($0.name)\":\($0.schema)" }.joined(separator: ",")
        let names = members.map { "\"\($0.name)\"" }.joined(separator: ",")
        return #"{"type":"object","required":[\#(names)],"properties":{\#(properties)}}"#
    }

    /// The schemas that others refer to.
    static let shared: [(name: String, schema: String)] = [
        (
            "Problem",
            #"{"type":"object","description":"RFC 9457","required":["type","title","status"],"properties":{"#
                + #""type":{"type":"string"},"title":{"type":"string"},"status":{"type":"integer"},"#
                + #""detail":{"type":"string"},"field":{"type":"string","description":"What of the input is wrong."},"#
                + #""allowed":{"type":"string","description":"What it may hold."}}}"#
        ),
        (
            "Entry",
            object([
                ("at", #"{"type":"string","format":"date-time"}"#), ("watch", #"{"type":"string"}"#),
                ("row_id", #"{"type":"string"}"#), ("lane", #"{"type":"string"}"#), ("poller", text), ("actor", text),
                ("verdict", text), ("status_before", #"{"type":"string"}"#), ("status_after", #"{"type":"string"}"#),
                ("reason", text),
            ])
        ),
        (
            "Lane",
            object([
                ("lane", #"{"type":"string"}"#), ("watch", text), ("configured", bool), ("paused", bool),
                ("paused_by", text), ("pause_reason", text), ("paused_at", time),
                ("held_seconds", #"{"type":["number","null"]}"#),
            ])
        ),
        (
            "Poller",
            object([
                ("id", #"{"type":"string"}"#), ("watch", #"{"type":"string"}"#), ("version", #"{"type":"string"}"#),
                ("started_at", #"{"type":"string","format":"date-time"}"#), ("silent_seconds", #"{"type":"number"}"#),
                ("stopped", bool),
            ])
        ),
    ]

    /// Those of one watch.
    static func schemas(of watch: any ConsoleWatch) -> [(name: String, schema: String)] {
        let row = object([
            ("id", #"{"type":["string","integer"]}"#), ("status", choice(watch.statuses)),
            (watch.laneColumn, #"{"type":"string"}"#), ("next_check_at", text), ("check_count", count),
            ("failure_count", count), ("last_verdict", text), ("last_error", text), ("created_at", text),
            ("updated_at", text),
        ])
        let input = watch.inputSchema.map { (name: watch.noun, schema: $0) }
        return [(name: "\(watch.noun)_row", schema: row)] + (input.map { [$0] } ?? [])
    }
}
