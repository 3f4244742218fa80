import CLibpq
import Logging
import Timeline

/// The listener's thread: its one job waits on the socket until it is cancelled.
actor ListenerConnection {
    private nonisolated let thread: ConnectionThread
    private let configuration: PostgresConfiguration
    private let channels: [String]
    private let logger: Logger
    private let silenceMax: Duration

    /// A probe that is not answered by then means a dead connection.
    private static let probeDeadline = Duration.seconds(5)
    private static let backoffMin = Duration.milliseconds(100)
    private static let backoffMax = Duration.seconds(10)

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }

    init(
        _ configuration: PostgresConfiguration, channels: [String], logger: Logger, silenceMax: Duration
    ) throws(PostgresError) {
        thread = try ConnectionThread(name: configuration.applicationName)
        self.configuration = configuration
        self.channels = channels
        self.logger = logger
        self.silenceMax = silenceMax
    }

    deinit { thread.stop() }

    func run(_ call: Call, _ events: AsyncStream<PostgresListenerEvent>.Continuation) {
        call.running(interruptedBy: thread.wakeup) {
            var backoff = Self.backoffMin
            while true {
                do throws(PostgresError) {
                    try listen(call, events) { backoff = Self.backoffMin }
                } catch {
                    if error.code == .cancelled { return }
                    logger.warning(
                        "database listener lost its connection",
                        metadata: ["error": "\(error)", "retryIn": "\(backoff.text)"])
                }
                guard pause(backoff, call) else { return }
                backoff = min(backoff * 2, Self.backoffMax)
            }
        }
    }

    /// False when cancelled meanwhile. Waits on the wake-up alone, no task is needed.
    private func pause(_ duration: Duration, _ call: Call) -> Bool {
        do {
            // Spread, so that the pollers of a fleet do not come back in step.
            let spread = duration * Double.random(in: 0.5...1)
            _ = try Link.wait(-1, for: .readable, thread.wakeup, call, until: .now + spread)
            return true
        } catch { return false }
    }

    private func listen(
        _ call: Call, _ events: AsyncStream<PostgresListenerEvent>.Continuation, onListening: () -> Void
    ) throws(PostgresError) {
        let link = try Link.connect(configuration, wakeup: thread.wakeup, logger: logger, call)
        for channel in channels {
            try link.run(script: "LISTEN \(Self.quoted(channel))", name: "listen", call)
        }
        events.yield(.listening)
        onListening()
        while true {
            while let notification = link.nextNotification() { events.yield(notification) }
            guard link.isUsable else { throw link.lostError }
            let ready = try link.wait(for: .readable, call, until: .now + silenceMax)
            if ready == nil {
                try call.check()
                try probe(link, call)
            } else if unsafe PQconsumeInput(link.connection) == 0 {
                throw link.lostError
            }
        }
    }

    /// A half-open connection (the peer vanished without a word) never becomes readable: only asking finds out.
    private func probe(_ link: Link, _ call: Call) throws(PostgresError) {
        try link.run(script: "SELECT 1", name: "probe", Call(deadline: Self.probeDeadline, within: call))
    }

    static func quoted(_ channel: String) -> String {
        "\"\(channel.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
    }
}

extension Link {
    /// The next notification that came in, if any.
    func nextNotification() -> PostgresListenerEvent? {
        guard let notification = unsafe PQnotifies(connection) else { return nil }
        defer { unsafe PQfreemem(notification) }
        return unsafe .notification(
            channel: String(cString: notification.pointee.relname), payload: String(cString: notification.pointee.extra)
        )
    }
}
