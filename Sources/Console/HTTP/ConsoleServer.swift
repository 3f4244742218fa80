import Foundation
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// The HTTP interface: `/metrics`, `/healthz`, `/readyz` and the routes that it is given.
///
/// The probes need no token; everything else does as soon as one is configured. Heads, connections and idle time are bounded.
public struct ConsoleServer: Service {
    private let host: String
    private let port: Int
    private let tokens: [AccessToken]
    private let registry: MetricsRegistry
    private let readiness: Readiness
    private let refresh: ScrapeRefresh?
    private let routes: [any ConsoleRoutes]
    private let version: String
    private let limits: RequestDeadlines.Limits
    private let onRunning: @Sendable (_ port: Int) -> Void
    private let logger: Logger

    /// Other ones than those that the checks' calls wait on: a page that takes its time holds up none of them. They live as
    /// long as the process, as the shared ones do.
    private static let loops = MultiThreadedEventLoopGroup(numberOfThreads: System.coreCount)

    /// - Parameters:
    ///   - port: 0 takes any free one; `onRunning` is told which.
    ///   - refresh: run before metrics are written.
    ///   - routes: what is served besides.
    ///   - version: the program's, for the OpenAPI document.
    public init(
        host: String, port: Int, tokens: [AccessToken], registry: MetricsRegistry, readiness: Readiness,
        refresh: ScrapeRefresh? = nil, routes: [any ConsoleRoutes] = [], version: String = "0", logger: Logger,
        onRunning: @escaping @Sendable (_ port: Int) -> Void = { _ in }
    ) {
        self.init(
            host: host, port: port, tokens: tokens, registry: registry, readiness: readiness, refresh: refresh,
            routes: routes, version: version, limits: .init(), logger: logger, onRunning: onRunning)
    }

    /// - Parameter limits: what clients are given time and room for; tests are impatient.
    init(
        host: String, port: Int, tokens: [AccessToken], registry: MetricsRegistry, readiness: Readiness,
        refresh: ScrapeRefresh? = nil, routes: [any ConsoleRoutes] = [], version: String = "0",
        limits: RequestDeadlines.Limits, logger: Logger, onRunning: @escaping @Sendable (_ port: Int) -> Void
    ) {
        self.host = host
        self.port = port
        self.tokens = tokens
        self.registry = registry
        self.readiness = readiness
        self.refresh = refresh
        self.routes = routes
        self.version = version
        self.limits = limits
        self.logger = logger
        self.onRunning = onRunning
    }

    public func run() async throws {
        let limits = limits
        let connections = OpenConnections(max: limits.connections)
        let responder = ConsoleResponder(router, registry: registry)
        // The framework's own lines are for its developers (a normal stop is an error to it); what ends it is thrown.
        let quiet = Logger(label: logger.label) { _ in SwiftLogNoOpLogHandler() }
        let application = Application(
            responder: responder,
            server: .init { responder in
                let configuration = HTTP1Channel.Configuration(
                    additionalChannelHandlers: [RequestDeadlines(limits: limits)], idleTimeout: .seconds(60))
                return LoopChannel(
                    base: HTTP1Channel(responder: responder, configuration: configuration), connections: connections)
            },
            configuration: .init(
                address: .hostname(host, port: port),
                availableConnectionsDelegate: MaximumAvailableConnections(limits.connections, logger: quiet)),
            onServerRunning: { [onRunning, logger, host] channel in
                let port = channel.localAddress?.port ?? 0
                logger.info("HTTP is served", metadata: ["host": "\(host)", "port": "\(port)"])
                onRunning(port)
            },
            eventLoopGroupProvider: .shared(Self.loops), logger: quiet)
        do {
            try await application.run()
        } catch let error as IOError {
            let isTaken = error.errnoCode == EADDRINUSE
            throw ConsoleServerError(
                code: isTaken ? .addressInUse : .refused, host: host, port: port,
                reason: isTaken ? "the port is in use" : unsafe String(cString: strerror(error.errnoCode)))
        } catch is SocketAddressError {
            throw ConsoleServerError(code: .refused, host: host, port: port, reason: "the host has no address")
        }
    }

    var router: Router<ConsoleContext> {
        let router = Router(context: ConsoleContext.self, options: .autoGenerateHeadEndpoints)
        // Probes come from load balancers and kubelets, under whatever name they know this host by.
        router.get("/healthz") { _, _ in ConsoleServer.json(.ok, #"{"status":"alive"}"#) }
        router.get("/readyz") { [readiness] _, _ in try ConsoleServer.ready(readiness.problems) }
        router.add(middleware: Door(tokens: tokens, problems: ProblemResponses(logger: logger)))
        router.group().add(middleware: SignedIn(session: DashboardSession(tokens: tokens)))
            .add(middleware: RequireRole(.viewer))
            .get("/metrics") { [registry, refresh] _, _ in
                await refresh?.refreshIfStale()
                return Response(
                    status: .ok, headers: [.contentType: MetricsRegistry.contentType],
                    body: .init(byteBuffer: ByteBuffer(string: registry.text())))
            }
        for part in routes { part.add(to: router) }
        let document = OpenAPIDocument(
            version: version, operations: Self.ownOperations + routes.flatMap(\.operations),
            schemas: routes.flatMap(\.schemas),
            registered: Set(router.routes.map(\.description)).union(["GET /openapi.json"]))
        router.get("/openapi.json") { _, _ in ConsoleServer.json(.ok, document.text) }
        return router
    }

    private static func ready(_ problems: [Readiness.Problem]) throws -> Response {
        struct Body: Encodable {
            var ready: Bool
            var reasons: [Readiness.Problem]
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let body = try encoder.encode(Body(ready: problems.isEmpty, reasons: problems))
        return json(problems.isEmpty ? .ok : .serviceUnavailable, String(decoding: body, as: UTF8.self))
    }

    static func json(_ status: HTTPResponse.Status, _ text: String, type: String = "application/json") -> Response {
        Response(
            status: status, headers: [.contentType: type, .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}
