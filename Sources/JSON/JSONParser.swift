/// A recursive-descent reader of RFC 8259 over bytes that someone else sent.
struct JSONParser {
    /// Deeper nesting is refused: each level costs stack.
    static let depthMax = 64

    private let bytes: [UInt8]
    /// What stands for a value that is nested deeper; nil: the document is refused.
    private let deeper: JSONValue?
    private var offset = 0

    init(_ bytes: [UInt8], deeper: JSONValue? = nil) {
        self.bytes = bytes
        self.deeper = deeper
    }

    mutating func document() throws(JSONError) -> JSONValue {
        let value = try value(depth: 0)
        skipSpace()
        guard offset == bytes.count else { throw error("more than one value") }
        return value
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard depth <= Self.depthMax else {
            guard let deeper else { throw error("nested deeper than \(Self.depthMax)") }
            try pass()
            return deeper
        }
        skipSpace()
        guard let byte = peek else { throw error("a value is missing") }
        switch byte {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: return try number()
        }
    }

    /// Passes a value without keeping it, and without a level of the stack for each of its own.
    private mutating func pass() throws(JSONError) {
        var open = 0
        repeat {
            skipSpace()
            guard let byte = peek else { throw error("a value is missing") }
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                open += 1
                offset += 1
            case UInt8(ascii: "}") where open > 0, UInt8(ascii: "]") where open > 0:
                open -= 1
                offset += 1
            case UInt8(ascii: ",") where open > 0, UInt8(ascii: ":") where open > 0: offset += 1
            // A text, a number or a literal, which hold nothing.
            default: _ = try value(depth: Self.depthMax)
            }
        } while open > 0
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        offset += 1
        var members: [JSONValue.Member] = []
        var names: Set<String> = []
        skipSpace()
        if take("}") { return .object([]) }
        repeat {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw error("a member's name is missing") }
            let name = try string()
            guard names.insert(name).inserted else { throw error("a member's name appears twice") }
            skipSpace()
            guard take(":") else { throw error("a colon is missing") }
            members.append(.init(name, try value(depth: depth + 1)))
            skipSpace()
        } while take(",")
        guard take("}") else { throw error("an object does not end") }
        return .object(members)
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        offset += 1
        var values: [JSONValue] = []
        skipSpace()
        if take("]") { return .array([]) }
        repeat {
            values.append(try value(depth: depth + 1))
            skipSpace()
        } while take(",")
        guard take("]") else { throw error("an array does not end") }
        return .array(values)
    }

    private mutating func literal(_ text: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for scalar in text.description.utf8 {
            guard peek == scalar else { throw error("a value is expected") }
            offset += 1
        }
        return value
    }

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = offset
        _ = take("-")
        if take("0") {
            if let byte = peek, Self.isDigit(byte) { throw error("a number starts with zero") }
        } else {
            try digits()
        }
        if take(".") { try digits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try digits()
        }
        return .number(String(decoding: bytes[start..<offset], as: UTF8.self))
    }

    private mutating func digits() throws(JSONError) {
        let start = offset
        while let byte = peek, Self.isDigit(byte) { offset += 1 }
        guard offset > start else { throw error("a value is expected") }
    }

    private mutating func string() throws(JSONError) -> String {
        offset += 1
        let start = offset
        while let byte = peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { offset += 1 }
        if peek == UInt8(ascii: "\"") {  // no escapes: the usual case
            defer { offset += 1 }
            return try text(bytes[start..<offset])
        }
        var decoded = Array(bytes[start..<offset])
        while let byte = peek {
            offset += 1
            switch byte {
            case UInt8(ascii: "\""): return try text(decoded[...])
            case UInt8(ascii: "\\"): try escape(into: &decoded)
            case 0..<0x20: throw error("a control character in a string")
            default: decoded.append(byte)
            }
        }
        throw error("a string does not end")
    }

    private func text(_ slice: ArraySlice<UInt8>) throws(JSONError) -> String {
        guard let text = String(validating: slice, as: UTF8.self) else { throw error("a string is not UTF-8") }
        return text
    }

    private mutating func escape(into decoded: inout [UInt8]) throws(JSONError) {
        guard let byte = peek else { throw error("a string does not end") }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): decoded.append(byte)
        case UInt8(ascii: "b"): decoded.append(0x08)
        case UInt8(ascii: "f"): decoded.append(0x0C)
        case UInt8(ascii: "n"): decoded.append(0x0A)
        case UInt8(ascii: "r"): decoded.append(0x0D)
        case UInt8(ascii: "t"): decoded.append(0x09)
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if (0xD800..<0xDC00).contains(code) {
                guard take("\\"), take("u") else { throw error("a lone surrogate") }
                let low = try hexadecimal()
                guard (0xDC00..<0xE000).contains(low) else { throw error("a lone surrogate") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw error("a lone surrogate") }
            decoded.append(contentsOf: String(scalar).utf8)
        default: throw error("an unknown escape")
        }
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue
            else { throw error("four hexadecimal digits are expected") }
            value = value << 4 + UInt32(digit)
            offset += 1
        }
        return value
    }

    private var peek: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        offset += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private func error(_ problem: String) -> JSONError { JSONError(problem, offset: offset) }
}
