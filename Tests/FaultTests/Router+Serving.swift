import Hummingbird
import Logging

extension Router where Context == BasicRequestContext {
    /// Serves on any free port of loopback, which `onRunning` is told, until cancelled.
    func serve(onRunning: @escaping @Sendable (_ port: Int?) -> Void) async throws {
        var logger = Logger(label: "sink")
        logger.logLevel = .critical
        let application = Application(
            router: self, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in onRunning(channel.localAddress?.port) }, logger: logger)
        try await application.runService(gracefulShutdownSignals: [])
    }
}
