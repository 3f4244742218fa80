/// JSON that is put together from parts that are JSON already.
enum JSONText {
    static func quoted(_ text: String) -> String {
        var json = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": json += "\\\""
            case "\\": json += "\\\\"
            case "\n": json += "\\n"
            case "\r": json += "\\r"
            case "\t": json += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                json += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: json.unicodeScalars.append(scalar)
            }
        }
        return json + "\""
    }

    static func array(_ elements: [String]) -> String { "[" + elements.joined(separator: ",") + "]" }

    static func object(_ members: KeyValuePairs<String, String>) -> String {
        "{" + members.map { "\(quoted($0.key)):\($0.value)" }.joined(separator: ",") + "}"
    }

    static func quoted(_ text: String?) -> String { text.map { quoted($0 as String) } ?? "null" }

    static func number(_ number: (some BinaryInteger)?) -> String { number.map { "\($0)" } ?? "null" }
}
