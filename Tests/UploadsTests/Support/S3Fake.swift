import JSON
import NIOCore
import Outgoing
import Settings
import Synchronization
import TestSupport
import Timeline

@testable import Uploads

/// What a test's S3 says to each kind of request, in turn; the last is said again and again.
struct S3Script: Sendable {
    enum Kind: String, Sendable {
        case list, head, get, complete, abort
    }

    enum Reply: Sendable {
        case answer(String, headers: String = "", body: String = "")
        /// Bytes as they are; then the connection ends.
        case raw(String)
        case stall
        /// A page of the listing, made of the query that asked for it.
        case page(@Sendable (_ marker: Int) -> String)
        /// Pieces with a little time between them.
        case slow([String])
    }

    var replies: [Kind: [Reply]]
}

/// Every call and checkpoint, in the order in which they came.
final class S3Record: Sendable {
    private struct State {
        var events: [String] = []
        var requests: [String] = []
        var states: [JSONValue] = []
    }

    private let state = Mutex(State())

    var events: [String] { state.withLock { $0.events } }
    /// The calls' heads and bodies.
    var requests: [String] { state.withLock { $0.requests } }
    var noted: JSONValue? { state.withLock { $0.states.last } }

    /// How many of that kind came before.
    func add(_ kind: S3Script.Kind, _ request: String) -> Int {
        state.withLock {
            let before = $0.events.count { $0 == kind.rawValue }
            $0.events.append(kind.rawValue)
            $0.requests.append(request)
            return before
        }
    }

    func note(_ noted: JSONValue) {
        state.withLock {
            $0.events.append("note")
            $0.states.append(noted)
        }
    }
}

/// A store whose S3 follows a script.
func withFakeS3<Result: Sendable>(
    _ replies: [S3Script.Kind: [S3Script.Reply]], timeout: Duration = .seconds(20),
    completeIdleLimit: Duration = .seconds(20),
    _ body: @Sendable (_ store: S3Store, _ record: S3Record) async throws -> Result
) async throws -> Result {
    let record = S3Record()
    return try await withRawServer { request, out in
        let kind = kind(of: request)
        let before = record.add(kind, request)
        guard let all = replies[kind], let last = all.last else {
            return try await out.send(
                "HTTP/1.1 500 Not In The Script\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        }
        try await out.send(before < all.count ? all[before] : last, to: request)
    } _: { baseURL, http in
        let settings = StoreConfiguration.S3(
            endpoint: EndpointURL(baseURL)!, bucket: "media", region: "eu-central-1", accessKey: Secret("AKIDEXAMPLE"),
            secretKey: Secret("very-secret"))
        let client = S3Client(settings, timeout: timeout, completeIdleLimit: completeIdleLimit, http: http)
        return try await body(S3Store(client: client), record)
    }
}

private func kind(of request: String) -> S3Script.Kind {
    let line = request.prefix { $0 != "\r\n" }
    switch line.prefix(while: { $0 != " " }) {
    case "HEAD": return .head
    case "POST": return .complete
    case "DELETE": return .abort
    default: return line.contains("uploadId=") ? .list : .get
    }
}

extension NIOAsyncChannelOutboundWriter<ByteBuffer> {
    fileprivate func send(_ reply: S3Script.Reply, to request: String) async throws {
        switch reply {
        case .raw(let text): try await send(text)
        case .stall: try await Task.sleep(for: .seconds(600))
        case .answer(let status, let headers, let body):
            let length = headers.contains("content-length") ? "" : "content-length: \(body.utf8.count)\r\n"
            try await send("HTTP/1.1 \(status)\r\nconnection: close\r\n\(length)\(headers)\r\n\(body)")
        case .page(let make):
            let marker = request.split(separator: "part-number-marker=").dropFirst().first
                .flatMap { Int($0.prefix(while: \.isNumber)) }
            let body = make(marker ?? 0)
            try await send(
                .answer("200 OK", headers: "date: Mon, 23 Nov 2026 10:00:00 GMT\r\n", body: body), to: request)
        case .slow(let pieces):
            for piece in pieces {
                try await send(piece)
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }
}
