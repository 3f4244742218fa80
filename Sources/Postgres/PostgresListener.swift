import Logging
import Timeline

/// Listens on channels over a connection of its own, and connects again whenever that is lost.
///
/// Notifications are hints: some are lost with a connection, and only the newest are kept for a consumer that lags. A
/// PgBouncer in transaction mode does not carry LISTEN; give the server's own address.
public final class PostgresListener: Sendable {
    /// Only for one consumer.
    public let events: AsyncStream<PostgresListenerEvent>

    private let continuation: AsyncStream<PostgresListenerEvent>.Continuation
    private let configuration: PostgresConfiguration
    private let channels: [String]
    private let logger: Logger
    private let silenceMax: Duration

    public convenience init(configuration: PostgresConfiguration, channels: [String], logger: Logger) {
        self.init(configuration: configuration, channels: channels, logger: logger, silenceMax: .seconds(30))
    }

    /// After `silenceMax` without a word the connection is probed.
    init(configuration: PostgresConfiguration, channels: [String], logger: Logger, silenceMax: Duration) {
        self.configuration = configuration
        self.channels = channels
        self.logger = logger
        self.silenceMax = silenceMax
        (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1_024))
    }

    /// Listens until the task is cancelled, which also ends `events`.
    public func run() async {
        defer { continuation.finish() }
        let call = Call(deadline: nil)
        await withTaskCancellationHandler {
            do {
                let connection = try ListenerConnection(
                    configuration, channels: channels, logger: logger, silenceMax: silenceMax)
                await connection.run(call, continuation)
            } catch {
                logger.error("database listener could not start", metadata: ["error": "\(error)"])
            }
        } onCancel: {
            call.cancel()
        }
    }
}
