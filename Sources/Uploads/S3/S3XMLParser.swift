/// Reads bytes once from front to back. Source: XML 1.0.
struct S3XMLParser {
    private let bytes: [UInt8]
    private var index = 0
    private var open: [(name: String, element: S3XML, text: [UInt8])] = []
    private var count = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
    }

    mutating func document() -> S3XML? {
        while index < bytes.count {
            if open.isEmpty {
                skipSpace()
                guard index < bytes.count, bytes[index] == UInt8(ascii: "<") else { return nil }
            }
            switch step() {
            case .going: continue
            case .done(let root): return isAtEnd() ? root : nil
            case .failed: return nil
            }
        }
        return nil
    }

    private enum Step {
        case going, failed
        case done(S3XML)
    }

    private mutating func step() -> Step {
        guard bytes[index] == UInt8(ascii: "<") else { return text() ? .going : .failed }
        if take("<?") { return skip(past: "?>") ? .going : .failed }
        if take("<!--") { return skip(past: "-->") ? .going : .failed }
        if take("<![CDATA[") { return data() ? .going : .failed }
        if take("<!") { return .failed }
        return take("</") ? end() : start()
    }

    private mutating func start() -> Step {
        index += 1
        guard let name = name(), let isEmpty = skipAttributes() else { return .failed }
        count += 1
        guard count <= S3XML.elementsMax, open.count < S3XML.depthMax else { return .failed }
        let local = name.split(separator: ":").last.map(String.init) ?? name
        open.append((name, S3XML(name: local), []))
        return isEmpty ? close() : .going
    }

    private mutating func end() -> Step {
        guard let name = name(), name == open.last?.name else { return .failed }
        skipSpace()
        return take(">") ? close() : .failed
    }

    private mutating func close() -> Step {
        guard let last = open.popLast(), let text = String(validating: last.text, as: UTF8.self) else {
            return .failed
        }
        var element = last.element
        element.text = text
        guard !open.isEmpty else { return .done(element) }
        open[open.count - 1].element.children.append(element)
        return .going
    }

    private mutating func text() -> Bool {
        while index < bytes.count, bytes[index] != UInt8(ascii: "<") {
            if bytes[index] == UInt8(ascii: "&") {
                guard let character = reference() else { return false }
                open[open.count - 1].text += Array(String(character).utf8)
            } else {
                open[open.count - 1].text.append(bytes[index])
                index += 1
            }
        }
        return true
    }

    private mutating func reference() -> Unicode.Scalar? {
        let rest = bytes[index...].prefix(12)
        guard let end = rest.firstIndex(of: UInt8(ascii: ";")) else { return nil }
        let name = String(decoding: bytes[(index + 1)..<end], as: UTF8.self)
        index = end + 1
        switch name {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        default:
            guard name.hasPrefix("#") else { return nil }
            let digits = name.dropFirst()
            let code = digits.hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
            return code.flatMap { $0 == 0 ? nil : Unicode.Scalar($0) }
        }
    }

    private mutating func data() -> Bool {
        guard !open.isEmpty else { return false }
        let from = index
        guard skip(past: "]]>") else { return false }
        open[open.count - 1].text += bytes[from..<(index - 3)]
        return true
    }

    /// Behind an element's name: whether it ends there, nil if it does not end at all.
    private mutating func skipAttributes() -> Bool? {
        var quote: UInt8?
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else if byte == UInt8(ascii: "<") {
                return nil
            } else if byte == UInt8(ascii: ">") {
                return bytes[index - 2] == UInt8(ascii: "/")
            }
        }
        return nil
    }

    private mutating func name() -> String? {
        let from = index
        while index < bytes.count, Self.isName(bytes[index]) { index += 1 }
        return index > from ? String(decoding: bytes[from..<index], as: UTF8.self) : nil
    }

    private mutating func isAtEnd() -> Bool {
        while true {
            skipSpace()
            guard index < bytes.count else { return true }
            if take("<!--") { guard skip(past: "-->") else { return false } } else { return false }
        }
    }

    private mutating func skipSpace() {
        while index < bytes.count, Self.isSpace(bytes[index]) { index += 1 }
    }

    private mutating func take(_ word: String) -> Bool {
        guard bytes[index...].starts(with: word.utf8) else { return false }
        index += word.utf8.count
        return true
    }

    private mutating func skip(past word: String) -> Bool {
        while index < bytes.count {
            if take(word) { return true }
            index += 1
        }
        return false
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0A).contains(byte) || byte == 0x0D }

    private static func isName(_ byte: UInt8) -> Bool {
        byte >= 0x80 || (0x30...0x3A).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            || "-._".utf8.contains(byte)
    }
}
