import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// One call to a gateway.
struct GatewayRequest {
    var method = "GET"
    var url: String
    var headers: [(name: String, value: String)] = []
    var body: String?

    var http: HTTPClientRequest {
        var request = HTTPClientRequest(url: url)
        request.method = HTTPMethod(rawValue: method)
        for header in headers { request.headers.add(name: header.name, value: header.value) }
        if !request.headers.contains(name: "accept") { request.headers.add(name: "accept", value: "application/json") }
        if !request.headers.contains(name: "user-agent") {
            request.headers.add(name: "user-agent", value: "reconciled")
        }
        if let body { request.body = .bytes(Array(body.utf8)) }
        return request
    }
}

/// What came back, read to its end.
struct GatewayResponse {
    var status: Int
    var headers: HTTPHeaders
    var body: [UInt8]

    init(_ response: HTTPClientResponse, body: [UInt8]) {
        status = Int(response.status.code)
        headers = response.headers
        self.body = body
    }

    var retryAfter: Duration? {
        headers.first(name: "retry-after").flatMap { RetryAfter.delay($0, date: headers.first(name: "date")) }
    }

    /// What a status other than 2xx and 404 means for every gateway alike.
    var failureAnswer: Answer {
        switch status {
        case 401, 403:
            .configError("the gateway refuses our credentials (HTTP \(status))", status: status)
        case 429: .unknown(failure(.throttled, "The gateway asks us to slow down"))
        case 500...599: .unknown(failure(.server, "The gateway failed"))
        case 300...399: .unknown(failure(.rejected, "The gateway redirects, which is not followed"))
        default: .unknown(failure(.rejected, "The gateway did not answer the question"))
        }
    }

    func failure(_ kind: AnswerFailure.Kind, _ problem: String) -> AnswerFailure {
        AnswerFailure(kind, status: status, retryAfter: retryAfter, problem: "\(problem) (HTTP \(status)).")
    }
}
