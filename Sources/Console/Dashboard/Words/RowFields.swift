import JSON
import Timeline

/// A row's JSON object, or an entry's of its history, as pages read it.
struct RowFields: Sendable {
    let json: JSONValue

    /// Throws what is no JSON: a row that is there is never left out in silence.
    init(_ text: String) throws(JSONError) { json = try JSONValue(row: text) }

    init(json: JSONValue) {
        self.json = json
    }

    /// A column as text; nil for NULL.
    subscript(column: String) -> String? {
        switch json[column] {
        case nil, .null: nil
        case .string(let text), .number(let text): text
        case .bool(let value): value ? "true" : "false"
        case let value?: value.text
        }
    }

    func integer(_ column: String) -> Int64? { self[column].flatMap { Int64($0) } }

    func time(_ column: String) -> Timestamp? { self[column].flatMap { Timestamp($0) } }

    /// A JSON object in a column.
    func object(_ column: String) -> RowFields? {
        guard case .object? = json[column] else { return nil }
        return json[column].map(RowFields.init(json:))
    }

    /// For those who want to see what stands there, a member a line.
    var pretty: String { Self.pretty(json, indent: "") }

    private static func pretty(_ value: JSONValue, indent: String) -> String {
        let deeper = indent + "  "
        func list(_ parts: [String], _ open: String, _ close: String) -> String {
            parts.isEmpty
                ? open + close
                : "\(open)\n" + parts.map { deeper + $0 }.joined(separator: ",\n") + "\n\(indent)\(close)"
        }
        switch value {
        case .object(let members):
            return list(
                members.map { "\(JSONValue.string($0.name).text): \(pretty($0.value, indent: deeper))" }, "{", "}")
        case .array(let values): return list(values.map { pretty($0, indent: deeper) }, "[", "]")
        default: return value.text
        }
    }
}
