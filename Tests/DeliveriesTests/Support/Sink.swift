import Hummingbird
import Logging
import Synchronization

/// What receives webhooks: notes each call, and answers as told.
final class Sink: Sendable {
    struct Call: Hashable, Sendable {
        var path: String
        var headers: [String: String]
        var body: String
        /// What was answered.
        var status: Int

        var id: String { headers["webhook-id"] ?? "" }
    }

    /// Decides about a call before it is noted: its path and `webhook-id`.
    typealias Answer = @Sendable (_ path: String, _ id: String) -> Int

    private struct State {
        var calls: [Call] = []
        var answer: Answer = { _, _ in 204 }
        var retryAfter: String?
        var port: Int?
    }

    private let state = Mutex(State())

    var calls: [Call] { state.withLock { $0.calls } }
    func calls(to path: String) -> [Call] { calls.filter { $0.path == path } }
    var url: String { "http://127.0.0.1:\(state.withLock { $0.port } ?? 0)" }
    func answer(_ answer: @escaping Answer) { state.withLock { $0.answer = answer } }
    func answer(_ status: Int, retryAfter: Int? = nil) {
        state.withLock { state in
            state.answer = { _, _ in status }
            state.retryAfter = retryAfter.map(String.init)
        }
    }

    private func respond(to request: Request) async throws -> Response {
        let body = try await request.body.collect(upTo: 1 << 20)
        let (status, retryAfter) = state.withLock { state in
            var headers: [String: String] = [:]
            for field in request.headers { headers[field.name.canonicalName] = field.value }
            let status = state.answer(request.uri.path, headers["webhook-id"] ?? "")
            state.calls.append(
                Call(path: request.uri.path, headers: headers, body: String(buffer: body), status: status))
            return (status, state.retryAfter)
        }
        var response = Response(status: .init(code: status))
        response.headers[.retryAfter] = retryAfter
        if (300...399).contains(status) { response.headers[.location] = "\(url)/elsewhere" }
        return response
    }

    /// Serves for the time of `body`.
    static func with<T: Sendable>(_ body: @Sendable (Sink) async throws -> T) async throws -> T {
        let sink = Sink()
        let router = Router()
        for method in [HTTPRequest.Method.get, .post] {
            router.on("**", method: method) { request, _ in try await sink.respond(to: request) }
        }
        let (running, started) = AsyncStream.makeStream(of: Void.self)
        var logger = Logger(label: "sink")
        logger.logLevel = .critical
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in
                sink.state.withLock { $0.port = channel.localAddress?.port }
                started.yield()
            }, logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.runService(gracefulShutdownSignals: []) }
            for await _ in running { break }
            defer { group.cancelAll() }
            return try await body(sink)
        }
    }
}
