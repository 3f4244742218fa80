import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import Console

/// A console on a free port for as long as `body` takes.
func withConsole(
    tokens: [AccessToken] = [], registry: MetricsRegistry = MetricsRegistry(),
    readiness: Readiness = Readiness(watches: []), routes: [any ConsoleRoutes] = [],
    limits: RequestDeadlines.Limits = .init(), _ body: @escaping @Sendable (_ base: String) async throws -> Void
) async throws {
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let server = ConsoleServer(
        host: "127.0.0.1", port: 0, tokens: tokens, registry: registry, readiness: readiness, routes: routes,
        limits: limits, logger: logger, onRunning: { port.yield($0) })
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

/// Sends each text as it is, and reads on until what came since then has its mark; nil: until the other end closes.
///
/// Returns all that came.
func exchange(_ base: String, _ steps: [(text: String, until: String?)]) async throws -> String {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(host: "127.0.0.1", port: port(of: base)) { channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
    return try await channel.executeThenClose { inbound, outbound in
        var step = 0
        var (answer, since) = ("", "")
        try await outbound.write(ByteBuffer(string: steps[step].text))
        for try await part in inbound {
            let text = String(buffer: part)
            answer += text
            since += text
            guard let mark = steps[step].until, since.contains(mark) else { continue }
            step += 1
            guard step < steps.count else { break }
            since = ""
            try await outbound.write(ByteBuffer(string: steps[step].text))
        }
        return answer
    }
}

/// A connection on which `text` was sent; what comes is not looked at.
func connection(_ base: String, sending text: String) async throws -> any Channel {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(host: "127.0.0.1", port: port(of: base)).get()
    try await channel.writeAndFlush(ByteBuffer(string: text))
    return channel
}

private func port(of base: String) throws -> Int {
    try #require(base.split(separator: ":").last.flatMap { Int($0) })
}

extension HTTPClient {
    /// For the life of the test process.
    static let plain = HTTPClient(
        eventLoopGroupProvider: .singleton, configuration: .init(redirectConfiguration: .disallow))
}
