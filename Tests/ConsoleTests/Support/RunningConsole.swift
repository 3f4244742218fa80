import AsyncHTTPClient
import Console
import Logging
import NIOCore
import NIOHTTP1
import Testing

/// A console on a free port for as long as `body` takes.
func withConsole(
    tokens: [AccessToken] = [], registry: MetricsRegistry = MetricsRegistry(),
    readiness: Readiness = Readiness(watches: []), routes: [any ConsoleRoutes] = [],
    _ body: @escaping @Sendable (_ base: String) async throws -> Void
) async throws {
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let server = ConsoleServer(
        host: "127.0.0.1", port: 0, tokens: tokens, registry: registry, readiness: readiness, routes: routes,
        logger: logger, onRunning: { port.yield($0) })
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run() }
        group.addTask {
            for await port in ports {
                #expect(port > 0)
                try await body("http://127.0.0.1:\(port)")
                return
            }
        }
        try await group.next()
        group.cancelAll()
        while await group.nextResult() != nil {}
    }
}

/// What a request was answered.
struct Reply: Sendable {
    var status: UInt
    var headers: HTTPHeaders
    var body: String

    var type: String { headers.first(name: "content-type") ?? "" }
}

/// Asks once; redirects are not followed.
func ask(
    _ method: HTTPMethod = .GET, _ url: String, headers: [(String, String)] = [], body: String? = nil
) async throws -> Reply {
    var request = HTTPClientRequest(url: url)
    request.method = method
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    if let body { request.body = .bytes(ByteBuffer(string: body)) }
    let response = try await HTTPClient.plain.execute(request, timeout: .seconds(10))
    let buffer = try await response.body.collect(upTo: 1 << 22)
    return Reply(status: response.status.code, headers: response.headers, body: String(buffer: buffer))
}

extension HTTPClient {
    /// For the life of the test process.
    static let plain = HTTPClient(
        eventLoopGroupProvider: .singleton, configuration: .init(redirectConfiguration: .disallow))
}
