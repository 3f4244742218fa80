import Hummingbird
import Logging
import Synchronization
import Timeline

/// What timers call: notes each call, and answers as told.
final class Sink: Sendable {
    struct Call: Hashable, Sendable {
        var method: String
        var path: String
        var key: String?
        var headers: [String: String]
        var body: String
    }

    private struct State {
        var calls: [Call] = []
        var statuses: [String: Int] = [:]
        var retryAfter: String?
        var latency = Duration.zero
        var underWay: [String: Int] = [:]
        var underWayMax = 0
        var port: Int?
    }

    private let state = Mutex(State())

    var calls: [Call] { state.withLock { $0.calls } }
    func calls(to path: String) -> [Call] { calls.filter { $0.path == path } }
    /// The most calls to one path at one time.
    var underWayMax: Int { state.withLock { $0.underWayMax } }
    var url: String { "http://127.0.0.1:\(state.withLock { $0.port } ?? 0)" }
    /// The status of answers to this path; 200 unless told.
    func answer(_ path: String, _ status: Int) { state.withLock { $0.statuses[path] = status } }
    func setRetryAfter(_ seconds: Int) { state.withLock { $0.retryAfter = "\(seconds)" } }
    func setLatency(_ latency: Duration) { state.withLock { $0.latency = latency } }

    private func respond(to request: Request) async throws -> Response {
        let path = request.uri.path
        let body = try await request.body.collect(upTo: 1 << 20)
        let (status, retryAfter, latency) = state.withLock { state in
            var headers: [String: String] = [:]
            for field in request.headers { headers[field.name.canonicalName] = field.value }
            state.calls.append(
                Call(
                    method: request.method.rawValue, path: path, key: headers["idempotency-key"], headers: headers,
                    body: String(buffer: body)))
            state.underWay[path, default: 0] += 1
            state.underWayMax = max(state.underWayMax, state.underWay[path] ?? 0)
            return (state.statuses[path] ?? 200, state.retryAfter, state.latency)
        }
        defer { state.withLock { $0.underWay[path, default: 0] -= 1 } }
        if latency > .zero { try await Task.sleep(for: latency) }
        var response = Response(status: .init(code: status))
        response.headers[.retryAfter] = retryAfter
        return response
    }

    /// Serves for the time of `body`.
    static func with<T: Sendable>(_ body: @Sendable (Sink) async throws -> T) async throws -> T {
        let sink = Sink()
        let router = Router()
        for method in [HTTPRequest.Method.get, .head, .post, .put, .patch, .delete] {
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
