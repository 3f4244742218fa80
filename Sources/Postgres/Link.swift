import CLibpq
import Logging
import Timeline

/// One established connection: a `PGconn` and what is prepared on it. Belongs to one thread.
@safe
final class Link {
    let connection: OpaquePointer
    let wakeup: Wakeup
    let preparesStatements: Bool
    private let notices: NoticeSink

    /// Set when the state of the session is not known any more; the link is then only good for closing.
    var isBroken = false
    /// Set when the server refused a write because it is a standby now: a new connection may find the new primary.
    private(set) var isOnStandby = false

    struct PreparedKey: Hashable {
        let statement: Statement
        let types: [UInt32]
    }
    /// The names that statements have on the server.
    var prepared: [PreparedKey: String] = [:]
    var preparedSequence = 0
    /// More than a program's SQL files; beyond it statements run unprepared, so that neither side grows without bound.
    static let preparedCountMax = 256

    /// How long a cancelled statement may take to end before its connection is given up.
    static let cancelGrace = Duration.seconds(2)

    init(connection: OpaquePointer, wakeup: Wakeup, preparesStatements: Bool, logger: Logger) {
        unsafe self.connection = unsafe connection
        self.wakeup = wakeup
        self.preparesStatements = preparesStatements
        notices = NoticeSink(logger: logger)
        let sink = unsafe Unmanaged.passUnretained(notices).toOpaque()
        unsafe PQsetNoticeReceiver(
            connection,
            { sink, result in
                guard let sink = unsafe sink, let result = unsafe result else { return }
                unsafe Unmanaged<NoticeSink>.fromOpaque(sink).takeUnretainedValue().receive(result)
            }, sink)
    }

    deinit { unsafe PQfinish(connection) }

    var isUsable: Bool { unsafe !isBroken && !notices.sawFatal && PQstatus(connection) == CONNECTION_OK }

    var isIdle: Bool { unsafe PQtransactionStatus(connection) == PQTRANS_IDLE }

    /// Whether an idle connection is still there, by reading what came in since: a backend that ended has said so and
    /// closed.
    func isAlive() -> Bool {
        for _ in 0..<64 {
            guard isUsable else { return false }
            let ready = unsafe Readiness.poll(PQsocket(connection), for: .readable, wakeup, timeoutMilliseconds: 0)
            guard let ready else { return false }
            guard !ready.isEmpty else { return true }
            guard unsafe PQconsumeInput(connection) == 1 else { return false }
            while let notification = unsafe PQnotifies(connection) { unsafe PQfreemem(notification) }
        }
        return isUsable
    }

    /// Waits for the socket; nil when `until` passed first.
    func wait(
        for wanted: Readiness, _ call: Call, until limit: Moment = .distantFuture
    ) throws(PostgresError) -> Readiness? {
        try unsafe Link.wait(PQsocket(connection), for: wanted, wakeup, call, until: limit)
    }

    static func wait(
        _ socket: CInt, for wanted: Readiness, _ wakeup: Wakeup, _ call: Call, until limit: Moment
    ) throws(PostgresError) -> Readiness? {
        while true {
            try call.check()
            let now = Moment.now
            guard now < limit else { return nil }
            let left = (min(limit, call.deadline) - now).wholeMicroseconds
            let timeout = CInt(clamping: min(left / 1_000 + 1, 60_000))
            guard let ready = Readiness.poll(socket, for: wanted, wakeup, timeoutMilliseconds: timeout)
            else { throw PostgresError(.connection, message: "waiting on the socket failed") }
            if !ready.isEmpty { return ready }
        }
    }

    func observe(_ error: PostgresError) {
        if error.sqlState == "25006" { isOnStandby = true }
    }

    /// The error that libpq keeps for this connection.
    var lostError: PostgresError {
        let text = unsafe Link.oneLine(String(cString: PQerrorMessage(connection)))
        return PostgresError(.connection, message: text.isEmpty ? "the connection was lost" : text)
    }

    static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).map { $0.drop { $0 == "\t" || $0 == " " } }.joined(separator: "; ")
    }
}
