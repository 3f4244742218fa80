extension JSONValue {
    /// The document without white space; reads back as the same value.
    public var text: String {
        var text = ""
        write(to: &text)
        return text
    }

    private func write(to text: inout String) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .number(let raw): text += raw
        case .string(let value): JSONObjectText.quote(value, into: &text)
        case .array(let values):
            text += "["
            for (index, value) in values.enumerated() {
                if index > 0 { text += "," }
                value.write(to: &text)
            }
            text += "]"
        case .object(let members):
            text += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { text += "," }
                JSONObjectText.quote(member.name, into: &text)
                text += ":"
                member.value.write(to: &text)
            }
            text += "}"
        }
    }

    /// A row to be added as PostgreSQL takes it: with whole numbers written as such (`1999.0` is no bigint).
    package var asRow: JSONValue {
        guard case .object(let members) = self else { return self }
        return .object(
            members.map { member in
                guard case .number(let raw) = member.value, let whole = ExactDecimal.scaled(raw, places: 0) else {
                    return member
                }
                return Member(member.name, .number("\(whole)"))
            })
    }

    /// Whether PostgreSQL's `jsonb` takes the document: no NUL in a text, no number beyond `numeric`.
    package var isStorable: Bool {
        switch self {
        case .null, .bool: true
        case .number(let raw): raw.utf8.count <= 64 && ExactDecimal.isShortExponent(raw)
        case .string(let text): !text.utf8.contains(0)
        case .array(let values): values.allSatisfy(\.isStorable)
        case .object(let members): members.allSatisfy { !$0.name.utf8.contains(0) && $0.value.isStorable }
        }
    }
}

extension ExactDecimal {
    /// At most three digits of exponent.
    static func isShortExponent(_ raw: String) -> Bool {
        guard let index = raw.firstIndex(where: { $0 == "e" || $0 == "E" }) else { return true }
        return raw[index...].count <= 5
    }
}
