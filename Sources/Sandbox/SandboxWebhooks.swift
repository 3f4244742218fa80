import Crypto
import Foundation
import HTTPTypes
import Hummingbird

/// A receiver of webhooks as an application would write it: takes what is signed by the secret that it shares with the
/// sender (Standard Webhooks), each event once.
public actor SandboxWebhooks {
    public struct Counts: Codable, Hashable, Sendable {
        /// Events that arrived, each counted once.
        public var events = 0
        /// Attempts whose signature was wrong or missing.
        public var refused = 0
        /// Events by their type.
        public var types: [String: Int] = [:]
    }

    private let key: SymmetricKey?
    private var seen: Set<String> = []
    public private(set) var counts = Counts()

    /// - Parameter secret: `whsec_` and base64; nil refuses everything.
    init(secret: String?) {
        key = secret.flatMap { Data(base64Encoded: String($0.dropFirst(6))) }.map { SymmetricKey(data: $0) }
    }

    func take(_ headers: HTTPFields, _ body: [UInt8]) -> HTTPResponse.Status {
        guard let id = headers[.init("webhook-id")!], let timestamp = headers[.init("webhook-timestamp")!],
            let signatures = headers[.init("webhook-signature")!], let key
        else { return refuse() }
        let signed = Array("\(id).\(timestamp).".utf8) + body
        let isGenuine = signatures.split(separator: " ").contains { signature in
            guard signature.hasPrefix("v1,"), let code = Data(base64Encoded: String(signature.dropFirst(3))) else {
                return false
            }
            return HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: signed, using: key)
        }
        guard isGenuine else { return refuse() }
        // At least once: the same id again is the same event.
        guard seen.count < SandboxLedger.rememberedMax, seen.insert(id).inserted else { return .noContent }
        counts.events += 1
        let type = (try? JSONDecoder().decode(Event.self, from: Data(body)))?.type ?? "unreadable"
        counts.types[type, default: 0] += 1
        return .noContent
    }

    private struct Event: Decodable {
        var type: String
    }

    private func refuse() -> HTTPResponse.Status {
        counts.refused += 1
        return .unauthorized
    }
}
