import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// One call out.
public struct OutgoingRequest: Sendable {
    public var method: String
    /// Sent as it is written, but for the fragment.
    public var url: String
    public var headers: [(name: String, value: String)]
    public var body: String?

    public init(
        method: String = "GET", url: String, headers: [(name: String, value: String)] = [], body: String? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }

    var http: HTTPClientRequest {
        var request = HTTPClientRequest(url: url)
        request.method = HTTPMethod(rawValue: method)
        for header in headers { request.headers.add(name: header.name, value: header.value) }
        if !request.headers.contains(name: "accept") { request.headers.add(name: "accept", value: "*/*") }
        if !request.headers.contains(name: "user-agent") {
            request.headers.add(name: "user-agent", value: "reconciled")
        }
        if let body { request.body = .bytes(Array(body.utf8)) }
        return request
    }
}
