import AsyncHTTPClient
import NIOHTTP1
import Timeline

/// What came back, read to its end; without the body where that was read on the way.
public struct OutgoingResponse: Sendable {
    public var status: Int
    private var headers: HTTPHeaders
    public var body: [UInt8]

    public init(status: Int, headers: [(String, String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = HTTPHeaders(headers)
        self.body = body
    }

    init(_ response: HTTPClientResponse, body: [UInt8]) {
        status = Int(response.status.code)
        headers = response.headers
        self.body = body
    }

    /// The first header of that name, in any case of its letters.
    public func header(_ name: String) -> String? { headers.first(name: name) }

    /// The other side's clock as it answered.
    public var date: Timestamp? { header("date").flatMap(HTTPDate.timestamp) }

    /// How long we are asked to stay away.
    public var retryAfter: Duration? {
        header("retry-after").flatMap { RetryAfter.delay($0, date: header("date")) }
    }
}
