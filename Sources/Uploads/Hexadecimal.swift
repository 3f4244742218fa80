extension Sequence<UInt8> {
    /// In lower case, as digests and ETags are written.
    var hexadecimal: String {
        var text = ""
        for byte in self {
            text += byte < 0x10 ? "0" : ""
            text += String(byte, radix: 16)
        }
        return text
    }
}
