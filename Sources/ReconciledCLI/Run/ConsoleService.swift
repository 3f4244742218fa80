import Console
import Logging
import ServiceLifecycle
import Synchronization

/// The HTTP interface on the configured port; where none is configured and another process has the usual one, on any free
/// port, so that a second poller on a machine needs no configuration of its own.
struct ConsoleService: Service {
    let http: HTTPConfiguration
    let freePort: FreePort
    let registry: MetricsRegistry
    let readiness: Readiness
    let refresh: ScrapeRefresh
    let routes: [any ConsoleRoutes]
    let logger: Logger
    /// Told the port once connections are accepted.
    var onRunning: @Sendable (Int) -> Void = { _ in }

    func run() async throws {
        let usual = http.port ?? HTTPConfiguration.defaultPort
        do {
            try await server(port: isFree ? freePort.taken ?? usual : usual).run()
        } catch let error as ConsoleServerError where error.code == .addressInUse && isFree {
            logger.warning("the usual port is in use; taking another", metadata: ["port": "\(error.port)"])
            try await server(port: 0).run()
        }
    }

    /// Whether any port will do.
    private var isFree: Bool { (http.port ?? 0) == 0 }

    private func server(port: Int) -> ConsoleServer {
        let taken = isFree ? freePort : nil
        return ConsoleServer(
            host: http.host, port: port, tokens: http.tokens, registry: registry, readiness: readiness,
            refresh: refresh, routes: routes, version: ProgramVersion.text, logger: logger,
            onRunning: { [onRunning] port in
                taken?.take(port)
                onRunning(port)
            })
    }
}

/// The port that a process took where any would do: it stays there when it reads its configuration again.
final class FreePort: Sendable {
    private let port = Mutex<Int?>(nil)

    var taken: Int? { port.withLock { $0 } }

    func take(_ number: Int) { port.withLock { $0 = number } }
}
