import Foundation
import Hummingbird
import ServiceLifecycle

/// Answers, sound and faulty.
enum SandboxAnswer {
    private struct Cut: Error {}

    static func json(_ status: HTTPResponse.Status, _ value: some Encodable) throws -> Response {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        let data = try encoder.encode(value)
        return Response(
            status: status, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: data)))
    }

    /// The answer that the fault makes; nil if it only delays the sound one.
    static func faulty(_ fault: SandboxFault) async throws -> Response? {
        switch fault {
        case .slow:
            try await wait(.seconds(2))
            return nil
        case .hang:
            try await wait(.seconds(60))
            return nil
        case .unavailable:
            return try json(.serviceUnavailable, SandboxErrorBody("api_error", "The sandbox is unavailable."))
        case .throttled:
            var response = try json(
                .tooManyRequests, SandboxErrorBody("invalid_request_error", code: "rate_limit", "Slow."))
            response.headers[.retryAfter] = "1"
            return response
        case .cut: return cut(after: #"{"object":"payment_intent","status":"succee"#)
        case .dropped: return cut(after: "")
        case .garbage:
            let text = "<html><body>It works!</body></html>"
            return Response(status: .ok, body: .init(byteBuffer: ByteBuffer(string: text)))
        case .unauthorized:
            return try json(.unauthorized, SandboxErrorBody("invalid_request_error", "Invalid API Key provided."))
        case .vanished:
            return Response(status: .notFound, body: .init(byteBuffer: ByteBuffer(string: "404 page not found")))
        case .huge:
            return Response(status: .ok, body: .init(byteBuffer: ByteBuffer(repeating: 0x20, count: 2 << 20)))
        case .redirect:
            return Response(status: .found, headers: [.location: "http://127.0.0.1:1/elsewhere"])
        }
    }

    // A slow answer must not hold up the server's end.
    private static func wait(_ duration: Duration) async throws {
        try await cancelWhenGracefulShutdown { try await Task.sleep(for: duration) }
    }

    /// Promises more than it sends; the error then closes the connection.
    private static func cut(after text: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: .init(contentLength: 1_000) { writer in
                if !text.isEmpty { try await writer.write(ByteBuffer(string: text)) }
                throw Cut()
            })
    }
}
