/// Writes one JSON object member by member into a string: a check's answer is rendered for every check there is.
package struct JSONObjectText {
    private var members = "{"

    package init() {}

    /// The object so far.
    package var text: String { members + "}" }

    package mutating func add(_ name: String, _ value: String?) {
        guard let value else { return }
        key(name)
        Self.quote(value, into: &members)
    }

    package mutating func add(_ name: String, _ value: Int64?) {
        guard let value else { return }
        key(name)
        members += String(value)
    }

    package mutating func add(_ name: String, _ value: Bool) {
        key(name)
        members += value ? "true" : "false"
    }

    /// Nothing for an empty list.
    package mutating func add(_ name: String, _ values: [String]) {
        guard !values.isEmpty else { return }
        key(name)
        members += "["
        for (index, value) in values.enumerated() {
            if index > 0 { members += "," }
            Self.quote(value, into: &members)
        }
        members += "]"
    }

    package mutating func add(_ name: String, object: JSONObjectText) {
        key(name)
        members += object.members
        members += "}"
    }

    package mutating func add(_ name: String, json value: JSONValue?) {
        guard let value else { return }
        key(name)
        members += value.text
    }

    /// Nothing for an empty list.
    package mutating func add(_ name: String, objects: [JSONObjectText]) {
        guard !objects.isEmpty else { return }
        key(name)
        members += "[" + objects.map(\.text).joined(separator: ",") + "]"
    }

    private mutating func key(_ name: String) {
        members += members.utf8.count > 1 ? ",\"" : "\""
        members += name
        members += "\":"
    }

    /// `text` as a JSON string with its quotes.
    package static func quote(_ text: String, into target: inout String) {
        target += "\""
        escape(text, into: &target)
        target += "\""
    }

    /// `text` as it stands inside a JSON string.
    package static func escape(_ text: String, into target: inout String) {
        guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C }) else {
            target += text
            return
        }
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": target += "\\\""
            case "\\": target += "\\\\"
            case "\n": target += "\\n"
            case "\r": target += "\\r"
            case "\t": target += "\\t"
            case _ where scalar.value < 0x20:
                target += scalar.value < 0x10 ? "\\u000" : "\\u00"
                target += String(scalar.value, radix: 16)
            default: target.unicodeScalars.append(scalar)
            }
        }
    }
}
