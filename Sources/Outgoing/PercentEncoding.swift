/// RFC 3986 percent-encoding.
public enum PercentEncoding {
    /// `text` as one path segment or one query value: everything but the unreserved characters is encoded.
    public static func segment(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                encoded += byte < 0x10 ? "%0" : "%"
                encoded += String(byte, radix: 16, uppercase: true)
            }
        }
        return encoded
    }

    /// Whether `text` can stand as a path segment at all: `.` and `..` are directions, encoded or not.
    public static func isSegment(_ text: String) -> Bool { !text.isEmpty && text != "." && text != ".." }
}
