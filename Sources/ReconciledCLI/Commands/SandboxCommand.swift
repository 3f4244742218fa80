import ArgumentParser
import Logging
import Sandbox
import ServiceLifecycle

struct SandboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox", abstract: "Run an offline fake gateway with faults, for trying things out.",
        discussion: """
            Speaks Stripe's PaymentIntents (gateway kind stripe with baseUrl: http://HOST:PORT) and a plain JSON endpoint \
            (kind http with url: http://HOST:PORT/orders/{id}). A reference names its own truth: \
            pi_<scenario>_<amount><currency>_<anything>, e.g. pi_paid_1999eur_17. Scenarios:

            \(SandboxScenario.allCases.map { "\($0.rawValue): \($0.summary)" }.joined(separator: "\n"))
            """)

    @OptionGroup var common: CommonOptions

    @Option(help: "Where to listen.")
    var host = "127.0.0.1"

    @Option(help: "0 takes any free port.")
    var port = 8_090

    @Flag(help: "Print the address as a JSON object.")
    var json = false

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port is between 0 and 65535") }
    }

    func run() async throws {
        let logger = common.logger()
        let server = SandboxServer(host: host, port: port, logger: logger) { [host, json] port in
            let url = "http://\(host.contains(":") ? "[\(host)]" : host):\(port)"
            print(json ? JSONText.object(["url": JSONText.quoted(url)]) : "the sandbox listens on \(url)")
        }
        try await ServiceGroup(services: [server], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger).run()
    }
}
