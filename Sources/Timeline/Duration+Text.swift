extension Duration {
    private static let units: [(suffix: String, microseconds: Int64)] = [
        ("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000), ("us", 1),
    ]

    /// Reads a duration as configuration writes it: `250ms`, `3s`, `1m30s`, `24h`, `7d`; larger units first, each once.
    ///
    /// Nil for anything else: no sign, no fraction, no bare number but `0`.
    public init?(text: String) {
        if text == "0" { self = .zero; return }
        var rest = text[...]
        var unitsLeft = Self.units[...]
        var total: Int64 = 0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            let suffix = rest.dropFirst(digits.count).prefix { $0.isASCII && $0.isLetter }
            guard let count = Int64(digits), let index = unitsLeft.firstIndex(where: { $0.suffix == suffix })
            else { return nil }
            let (product, overflow) = count.multipliedReportingOverflow(by: unitsLeft[index].microseconds)
            let (sum, carry) = total.addingReportingOverflow(product)
            guard !overflow, !carry else { return nil }
            total = sum
            unitsLeft = unitsLeft[(index + 1)...]
            rest = rest.dropFirst(digits.count + suffix.count)
        }
        self = .microseconds(total)
    }

    /// The shortest text that `init(text:)` reads back, to the microsecond; negative durations get a leading `-`.
    public var text: String {
        var rest = wholeMicroseconds
        guard rest != 0 else { return "0s" }
        var text = ""
        if rest < 0 {
            text = "-"
            rest = rest == .min ? .max : -rest
        }
        for unit in Self.units where rest >= unit.microseconds {
            text += "\(rest / unit.microseconds)\(unit.suffix)"
            rest %= unit.microseconds
        }
        return text
    }
}
