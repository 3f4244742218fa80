import Hummingbird

/// Keeps other sites' pages in a browser from using what the browser may do: a listener without tokens trusts whoever reaches
/// it, and a browser on the same machine does. Such a page shows by its origin (Fetch Metadata, RFC 6454) when it writes, and
/// by the Host that it resolved when its name was rebound to this address.
struct BrowserGuard {
    /// Whether no token is needed: then only this machine's names are answered to.
    let isOpen: Bool

    func check(_ request: Request) throws {
        let authority = request.head.authority ?? ""
        if isOpen, !Self.isLoopback(authority) {
            throw Problem(
                .misdirectedRequest, "without tokens this listens to this machine only",
                allowed: "Host: localhost, 127.0.0.1 or [::1]")
        }
        if ![.get, .head, .options].contains(request.method), Self.isForeign(request, authority: authority) {
            throw Problem(.forbidden, "a page of another site may not do this")
        }
    }

    /// A browser's own word on where a request comes from counts, and no page can set it: behind a proxy that rewrites Host the
    /// origin is that of the proxy's name. Only browsers before 2023 do not give it.
    private static func isForeign(_ request: Request, authority: String) -> Bool {
        if let site = request.headers[.init("Sec-Fetch-Site")!] { return site != "same-origin" && site != "none" }
        guard let origin = request.headers[.origin] else { return false }
        return origin != "http://\(authority)" && origin != "https://\(authority)"
    }

    /// `localhost:8080`, `127.0.0.1`, `[::1]:80`.
    static func isLoopback(_ authority: String) -> Bool {
        var host = authority.utf8[...]
        if let colon = host.lastIndex(of: UInt8(ascii: ":")),
            host[host.index(after: colon)...].allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains)
        {
            host = host[..<colon]
        }
        let octets = host.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        if octets.count == 4, octets[0].elementsEqual("127".utf8) {
            return octets.allSatisfy { UInt8(Substring($0)) != nil }
        }
        return ["localhost", "[::1]"].contains(Substring(host).lowercased())
    }
}
