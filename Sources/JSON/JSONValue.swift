/// A JSON document as a gateway wrote it: numbers stay the text they were, so that money is never read through a float.
///
/// Source: RFC 8259. Stricter than it in two points, because a document that two readers understand differently is no
/// proof of a payment: an object that names a member twice is refused, and so is a lone surrogate.
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// The raw text, e.g. `1999.0` or `1e3`.
    case number(String)
    case string(String)
    case array([JSONValue])
    /// In the document's order; no name twice.
    case object([Member])

    public struct Member: Hashable, Sendable {
        public var name: String
        public var value: JSONValue

        public init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// Reads one whole document; trailing bytes other than white space are an error, as is nesting deeper than 64.
    public init(parsing bytes: [UInt8]) throws(JSONError) {
        var parser = JSONParser(bytes)
        self = try parser.document()
    }

    public init(parsing text: String) throws(JSONError) {
        try self.init(parsing: Array(text.utf8))
    }

    /// Reads a row, or an entry about one, as PostgreSQL wrote it. An application may have put deeper nesting into it
    /// than we read; that stands as "…", so that it is no reason not to show the rest, nor the rows beside it.
    public init(row text: String) throws(JSONError) {
        var parser = JSONParser(Array(text.utf8), deeper: .string("…"))
        self = try parser.document()
    }

    /// The member of that name; nil if there is none or this is not an object.
    public subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    /// The text of a string.
    public var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// An integer written without fraction or exponent that fits.
    public var integer: Int64? {
        if case .number(let text) = self { Int64(text) } else { nil }
    }

    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    public var isNull: Bool { self == .null }
}

/// Why a document is not JSON, or not JSON that we accept.
public struct JSONError: Error, Hashable, CustomStringConvertible {
    /// What was expected or refused; none of the document's own text, which may be anything.
    public var problem: String
    /// The offset in bytes.
    public var offset: Int

    public init(_ problem: String, offset: Int) {
        self.problem = problem
        self.offset = offset
    }

    public var description: String { "not readable as JSON: \(problem) at byte \(offset)" }
}
