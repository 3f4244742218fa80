import Crypto
import Timeline

/// One part as ListParts shows it.
struct S3Part: Hashable, Sendable {
    /// From 1.
    var number: Int
    /// Without quotes.
    var etag: String
    var bytes: Int64
    var lastModified: Timestamp?
}

/// The ETag of an object that was made of parts: the MD5 of their MD5s, and how many they are.
enum CompositeETag {
    /// Nil if the parts' ETags cannot all be MD5s, as under SSE-KMS.
    static func of(_ parts: [S3Part]) -> String? {
        var hash = Insecure.MD5()
        for part in parts {
            guard let raw = raw(part.etag) else { return nil }
            hash.update(data: raw)
        }
        return parts.isEmpty ? nil : "\(hash.finalize().hexadecimal)-\(parts.count)"
    }

    private static func raw(_ etag: String) -> [UInt8]? {
        let digits = Array(etag.utf8)
        guard digits.count == 32 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: 32, by: 2) {
            guard let high = digit(digits[index]), let low = digit(digits[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
