import Logging

/// A place for one connection to the database, on a thread of its own; it connects when it is used.
actor Connection {
    private nonisolated let thread: ConnectionThread
    private let configuration: PostgresConfiguration
    private let logger: Logger
    private var link: Link?

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }

    init(_ configuration: PostgresConfiguration, logger: Logger) throws(PostgresError) {
        thread = try ConnectionThread(name: configuration.applicationName)
        self.configuration = configuration
        self.logger = logger
    }

    deinit { thread.stop() }

    /// Runs `body` with a live connection; it has no suspension point, so that nothing can come in between.
    /// Says too whether the next call will find a connection without making one.
    func perform<T: Sendable>(
        _ call: Call, _ body: @Sendable (Link) throws(PostgresError) -> T
    ) -> (outcome: Result<T, PostgresError>, isConnected: Bool) {
        let outcome = call.running(interruptedBy: thread.wakeup) { () -> Result<T, PostgresError> in
            do throws(PostgresError) {
                let link = try liveLink(call)
                let value = try body(link)
                retireIfNeeded(link)
                return .success(value)
            } catch {
                if let link { retireIfNeeded(link) }
                return .failure(error)
            }
        }
        return (outcome, link != nil)
    }

    /// Ends the connection.
    func disconnect() { link = nil }

    private func liveLink(_ call: Call) throws(PostgresError) -> Link {
        try call.check()
        if let link {
            if link.isAlive() { return link }
            // It died while idle, before anything was sent: a fresh one can take the call.
            logger.info("database connection was lost while idle")
            self.link = nil
        }
        let fresh = try Link.connect(configuration, wakeup: thread.wakeup, logger: logger, call)
        logger.debug("database connected")
        link = fresh
        return fresh
    }

    private func retireIfNeeded(_ link: Link) {
        guard !link.isUsable || !link.isIdle || link.isOnStandby else { return }
        logger.info("database connection was given up")
        self.link = nil
    }
}
