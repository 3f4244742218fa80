import Crypto
import Foundation
import Hummingbird
import Timeline

/// A browser that signed in, as a cookie that says who and until when, authenticated by a key that only the token's holder
/// and the configuration have: it needs no memory, survives restarts, serves every process with the same configuration, and
/// ends when the token is changed or taken away.
struct DashboardSession: Sendable {
    static let cookieName = "reconciled_session"
    static let lifetimeSeconds: Int64 = 12 * 3_600

    let tokens: [AccessToken]

    /// The token whose secret this is.
    func token(presented secret: String) -> AccessToken? {
        let digest = SHA256.hash(data: Array(secret.utf8))
        return tokens.filter { $0.matches(digest) }.first
    }

    func cookie(for token: AccessToken, now: Int64, isSecure: Bool) -> Cookie {
        let claims = "\(Data(token.name.utf8).base64EncodedString())-\(now + Self.lifetimeSeconds)"
        return Cookie(
            name: Self.cookieName, value: "\(claims)-\(Self.hex(Self.code(claims, token)))",
            maxAge: Int(Self.lifetimeSeconds), path: "/", secure: isSecure, httpOnly: true, sameSite: .strict)
    }

    static func ended(isSecure: Bool) -> Cookie {
        Cookie(name: cookieName, value: "", maxAge: 0, path: "/", secure: isSecure, httpOnly: true, sameSite: .strict)
    }

    /// Who signed in with this request's browser; nil for nobody.
    func visitor(of request: Request) -> (caller: Caller, formSecret: String)? {
        request.cookies[Self.cookieName].flatMap {
            visitor($0.value, now: Timestamp.wallClock.microseconds / 1_000_000)
        }
    }

    /// Who signed in, and the secret that this session's forms must bring; nil if the cookie is not ours, or over.
    func visitor(_ cookie: String, now: Int64) -> (caller: Caller, formSecret: String)? {
        let parts = cookie.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, let expiry = Int64(parts[1]), expiry > now,
            let name = Data(base64Encoded: String(parts[0])).flatMap({ String(data: $0, encoding: .utf8) }),
            let token = tokens.first(where: { $0.name == name }),
            let code = Self.bytes(parts[2])
        else { return nil }
        let key = token.derivedKey("dashboard session")
        // Compares in constant time.
        guard
            HMAC<SHA256>.isValidAuthenticationCode(
                code, authenticating: Array("\(parts[0])-\(parts[1])".utf8), using: key)
        else { return nil }
        let formSecret = HMAC<SHA256>.authenticationCode(
            for: Array(cookie.utf8), using: token.derivedKey("dashboard form"))
        return (Caller(name: token.name, role: token.role), Self.hex(formSecret))
    }

    private static func code(_ claims: String, _ token: AccessToken) -> HMAC<SHA256>.MAC {
        HMAC<SHA256>.authenticationCode(for: Array(claims.utf8), using: token.derivedKey("dashboard session"))
    }

    private static func hex(_ code: HMAC<SHA256>.MAC) -> String {
        code.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func bytes(_ hex: Substring) -> [UInt8]? {
        guard hex.utf8.count == 64 else { return nil }
        var bytes: [UInt8] = []
        var rest = hex[...]
        while !rest.isEmpty {
            guard let byte = UInt8(rest.prefix(2), radix: 16) else { return nil }
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        return bytes
    }
}
