/// Decimal text scaled to an integer without rounding: `19.99` by two places is 1999.
package enum ExactDecimal {
    /// Reads `-?digits(.digits)?([eE][+-]?digits)?`, times ten to the power of `places`.
    ///
    /// Nil if the text is none, if anything but zeros stands behind the point after scaling, or if the value does not
    /// fit. Never floating point: 0.1 + 0.2 is not a sum of money.
    package static func scaled(_ text: String, places: Int) -> Int64? {
        guard text.utf8.count <= 64 else { return nil }
        var rest = text.utf8[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative { rest.removeFirst() }
        let whole = rest.prefix(while: isDigit)
        guard !whole.isEmpty else { return nil }
        rest = rest.dropFirst(whole.count)
        var fraction = rest.prefix(0)
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            fraction = rest.prefix(while: isDigit)
            guard !fraction.isEmpty else { return nil }
            rest = rest.dropFirst(fraction.count)
        }
        guard let exponent = exponent(rest) else { return nil }
        var digits = Array(whole) + Array(fraction)
        let shift = exponent + places - fraction.count
        if shift >= 0 {
            if digits.allSatisfy({ $0 == UInt8(ascii: "0") }) { return 0 }
            guard shift <= 19 else { return nil }
            digits += [UInt8](repeating: UInt8(ascii: "0"), count: shift)
        } else {
            let cut = digits.suffix(-shift)
            guard cut.allSatisfy({ $0 == UInt8(ascii: "0") }) else { return nil }
            digits.removeLast(cut.count)
        }
        return Int64((isNegative ? "-" : "") + (digits.isEmpty ? "0" : String(decoding: digits, as: UTF8.self)))
    }

    private static func exponent(_ text: Substring.UTF8View) -> Int? {
        var rest = text
        guard let first = rest.popFirst() else { return 0 }
        guard first == UInt8(ascii: "e") || first == UInt8(ascii: "E") else { return nil }
        let sign = rest.first == UInt8(ascii: "-") ? -1 : 1
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        guard !rest.isEmpty, rest.allSatisfy(isDigit), rest.count <= 4, let value = Int(Substring(rest))
        else { return nil }
        return sign * value
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
