import Crypto
import Foundation

/// A key that an endpoint shares with us. Source: Standard Webhooks, "Signature scheme".
public struct WebhookSecret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public static let allowed =
        "whsec_ and 24 to 64 random bytes in base64; several, separated by blanks, while one replaces the other"

    private let key: SymmetricKey

    /// Nil if the text is none; `whsec_` may be left out, as libraries for receivers allow.
    public init?(_ text: some StringProtocol) {
        let encoded = text.hasPrefix("whsec_") ? String(text.dropFirst(6)) : String(text)
        guard let bytes = Data(base64Encoded: encoded), (24...64).contains(bytes.count) else { return nil }
        key = SymmetricKey(data: bytes)
    }

    /// Several, separated by white space; nil if one of them is none, or there is not one.
    public static func list(_ text: String) -> [WebhookSecret]? {
        let words = text.split(whereSeparator: \.isWhitespace)
        let secrets = words.compactMap { WebhookSecret($0) }
        return secrets.count == words.count && !secrets.isEmpty ? secrets : nil
    }

    /// The signature of one attempt: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.
    func signature(id: String, timestamp: Int64, body: String) -> String {
        var hmac = HMAC<SHA256>(key: key)
        hmac.update(data: Data("\(id).\(timestamp).".utf8))
        hmac.update(data: Data(body.utf8))
        return "v1," + Data(hmac.finalize()).base64EncodedString()
    }

    public var description: String { "<secret>" }
    public var debugDescription: String { "<secret>" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
