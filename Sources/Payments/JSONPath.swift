import JSON

/// Where in a gateway's answer a value stands: `$`, then any of `.name`, `['name']`, `[n]`.
public struct JSONPath: Hashable, Sendable, CustomStringConvertible {
    private enum Step: Hashable, Sendable {
        case name(String)
        case index(Int)
    }

    /// What configuration errors say is allowed.
    public static let allowed = "$ followed by .name, ['name'] or [n]"

    public let description: String
    private let steps: [Step]

    /// Nil if the text is not such a path.
    public init?(_ text: String) {
        guard text.first == "$", text.utf8.count <= 1_000 else { return nil }
        var rest = text.dropFirst()
        var steps: [Step] = []
        while let first = rest.first {
            rest.removeFirst()
            if first == "." {
                let name = rest.prefix { $0 == "_" || $0 == "-" || $0.isLetter || $0.isNumber }
                guard !name.isEmpty else { return nil }
                steps.append(.name(String(name)))
                rest = rest.dropFirst(name.count)
            } else if first == "[", rest.first == "'" {
                rest.removeFirst()
                let name = rest.prefix { $0 != "'" }
                rest = rest.dropFirst(name.count)
                guard rest.hasPrefix("']") else { return nil }
                steps.append(.name(String(name)))
                rest = rest.dropFirst(2)
            } else if first == "[" {
                let digits = rest.prefix { $0.isASCII && $0.isNumber }
                rest = rest.dropFirst(digits.count)
                guard let index = Int(digits), rest.first == "]" else { return nil }
                steps.append(.index(index))
                rest.removeFirst()
            } else {
                return nil
            }
        }
        description = text
        self.steps = steps
    }

    /// The value there; nil if the document has no such place.
    public func value(in document: JSONValue) -> JSONValue? {
        var value = document
        for step in steps {
            switch (step, value) {
            case (.name(let name), .object):
                guard let member = value[name] else { return nil }
                value = member
            case (.index(let index), .array(let values)) where values.indices.contains(index): value = values[index]
            default: return nil
            }
        }
        return value
    }
}
