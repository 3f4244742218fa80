import Console
import Logging
import ServiceLifecycle

/// The HTTP interface on the configured port; where none is configured and another process has the usual one, on any free
/// port, so that a second poller on a machine needs no configuration of its own.
struct ConsoleService: Service {
    let http: HTTPConfiguration
    let registry: MetricsRegistry
    let readiness: Readiness
    let refresh: ScrapeRefresh
    let routes: [any ConsoleRoutes]
    let logger: Logger
    /// Told the port once connections are accepted.
    var onRunning: @Sendable (Int) -> Void = { _ in }

    func run() async throws {
        do {
            try await server(port: http.port ?? HTTPConfiguration.defaultPort).run()
        } catch let error as ConsoleServerError where error.code == .addressInUse && http.port == nil {
            logger.warning("the usual port is in use; taking another", metadata: ["port": "\(error.port)"])
            try await server(port: 0).run()
        }
    }

    private func server(port: Int) -> ConsoleServer {
        ConsoleServer(
            host: http.host, port: port, tokens: http.tokens, registry: registry, readiness: readiness,
            refresh: refresh, routes: routes, version: ProgramVersion.text, logger: logger,
            onRunning: onRunning)
    }
}
