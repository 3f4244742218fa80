import Timeline

extension Int {
    /// Reads a plain decimal number. Octal (`017`, `0o17`), hexadecimal, `1_000`, `+1` and `1.0` are nil: YAML versions
    /// disagree about what they mean.
    init?(decimal text: String) {
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            digits.count == 1 || !digits.hasPrefix("0")
        else { return nil }
        self.init(text)
    }
}

/// Sizes in bytes as configuration writes them.
enum ByteSize {
    private static let units: [(suffix: String, bytes: Int64)] = [
        ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("B", 1),
    ]

    /// Reads `512KiB`, `1GiB` or a number of bytes; nil for anything else.
    static func parse(_ text: String) -> Int64? {
        let unit = units.first { text.hasSuffix($0.suffix) } ?? (suffix: "", bytes: 1)
        guard let count = Int(decimal: String(text.dropLast(unit.suffix.count))), count >= 0 else { return nil }
        let (bytes, overflow) = Int64(count).multipliedReportingOverflow(by: unit.bytes)
        return overflow ? nil : bytes
    }

    /// The largest unit that divides the size.
    static func text(_ bytes: Int64) -> String {
        let unit = units.dropLast().last { bytes != 0 && bytes % $0.bytes == 0 }
        return unit.map { "\(bytes / $0.bytes)\($0.suffix)" } ?? String(bytes)
    }
}

/// How a value stands in a message: quoted, in one line and bounded.
func quoted(_ text: String) -> String {
    var shown = ""
    for scalar in text.unicodeScalars.prefix(60) {
        switch scalar {
        case "\"": shown += "\\\""
        case "\n": shown += "\\n"
        case _ where scalar.value < 0x20 || scalar.value == 0x7f: shown += "\\u{\(String(scalar.value, radix: 16))}"
        default: shown.unicodeScalars.append(scalar)
        }
    }
    return "\"\(shown)\(text.unicodeScalars.count > 60 ? "…" : "")\""
}

/// The Levenshtein distance of two short texts.
func editDistance(_ a: String, _ b: String) -> Int {
    let a = Array(a.unicodeScalars.prefix(64))
    let b = Array(b.unicodeScalars.prefix(64))
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, y) in b.enumerated() {
            let substitution = diagonal + (x == y ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(substitution, row[j] + 1, row[j + 1] + 1)
        }
    }
    return row[b.count]
}
