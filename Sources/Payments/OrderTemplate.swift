import JSON
import Outgoing

/// Text with the placeholders `{id}` and `{gateway_ref}`.
public struct OrderTemplate: Hashable, Sendable {
    public enum Encoding: Hashable, Sendable {
        /// Percent-encoded as one segment of a URL.
        case url
        /// Percent-encoded as one value of a form.
        case form
        /// Escaped as it stands inside a JSON string.
        case json
    }

    private enum Part: Hashable, Sendable {
        case text(String)
        case id
        case gatewayRef
    }

    private static let placeholders: [(text: String, part: Part)] = [("{id}", .id), ("{gateway_ref}", .gatewayRef)]

    private let parts: [Part]
    private let encoding: Encoding

    public init(_ text: String, _ encoding: Encoding) {
        var parts: [Part] = []
        var literal = ""
        var rest = text[...]
        while let first = rest.first {
            if let found = Self.placeholders.first(where: { rest.hasPrefix($0.text) }) {
                if !literal.isEmpty { parts.append(.text(literal)) }
                literal = ""
                parts.append(found.part)
                rest = rest.dropFirst(found.text.count)
            } else {
                literal.append(first)
                rest.removeFirst()
            }
        }
        if !literal.isEmpty { parts.append(.text(literal)) }
        self.parts = parts
        self.encoding = encoding
    }

    public var hasID: Bool { parts.contains(.id) }
    public var hasGatewayRef: Bool { parts.contains(.gatewayRef) }

    public var hasPlaceholders: Bool { hasID || hasGatewayRef }

    /// Whether the text is JSON with its placeholders inside of strings: anywhere else an order's name would be a
    /// number, or more than one value.
    var isJSON: Bool {
        var text = ""
        for part in parts {
            // No word of JSON holds an underscore.
            if case .text(let literal) = part { text += literal } else { text += "_" }
        }
        do { _ = try JSONValue(parsing: text) } catch { return false }
        return true
    }

    /// Whether braces are left that name no placeholder.
    var hasOtherBraces: Bool {
        parts.contains { if case .text(let text) = $0 { text.contains("{") || text.contains("}") } else { false } }
    }

    /// The text for one order; nil if the order lacks what a placeholder needs.
    func text(for order: Order) -> String? {
        var result = ""
        for part in parts {
            switch part {
            case .text(let text): result += text
            case .id:
                guard append(order.id, to: &result) else { return nil }
            case .gatewayRef:
                guard let reference = order.gatewayRef, append(reference, to: &result) else { return nil }
            }
        }
        return result
    }

    private func append(_ value: String, to result: inout String) -> Bool {
        switch encoding {
        case .url:
            guard PercentEncoding.isSegment(value) else { return false }
            result += PercentEncoding.segment(value)
        case .form: result += PercentEncoding.segment(value)
        case .json: JSONObjectText.escape(value, into: &result)
        }
        return true
    }
}
