import Synchronization
import Timeline

/// Whether this process does its work, from what its parts reported: answering a probe asks nobody.
public final class Readiness: Sendable {
    public struct Problem: Codable, Equatable, Sendable {
        /// `database_unreachable`, `schema_unknown`, `poller_not_claiming`, `heartbeat_stale`, `starting`.
        public var code: String
        /// For people; no credentials.
        public var detail: String

        public init(code: String, detail: String) {
            self.code = code
            self.detail = detail
        }
    }

    private struct State {
        var startedAt: Moment
        var schemaProblem: String?
        var isSchemaKnown = false
        var databaseProblem: String?
        var heartbeatAt: [String: Moment] = [:]
        var roundAt: [String: Moment] = [:]
    }

    private let watches: [String]
    private let silenceMax: Duration
    private let now: @Sendable () -> Moment
    private let state: Mutex<State>

    /// - Parameters:
    ///   - watches: those whose pollers run in this process.
    ///   - silenceMax: a poller without a round and a heartbeat older than this are problems.
    public init(
        watches: [String], silenceMax: Duration = .seconds(30), now: @escaping @Sendable () -> Moment = { .now }
    ) {
        self.watches = watches
        self.silenceMax = silenceMax
        self.now = now
        state = Mutex(State(startedAt: now()))
    }

    public func schemaVerified() {
        state.withLock {
            $0.isSchemaKnown = true
            $0.schemaProblem = nil
        }
    }

    public func schemaRejected(_ detail: String) {
        state.withLock {
            $0.isSchemaKnown = false
            $0.schemaProblem = detail
        }
    }

    public func databaseAnswered() { state.withLock { $0.databaseProblem = nil } }

    public func databaseFailed(_ detail: String) { state.withLock { $0.databaseProblem = detail } }

    public func heartbeatWritten(watch: String) {
        let now = now()
        state.withLock { $0.heartbeatAt[watch] = now }
    }

    func roundFinished(watch: String) {
        let now = now()
        state.withLock {
            $0.roundAt[watch] = now
            $0.databaseProblem = nil
        }
    }

    /// Empty when ready.
    public var problems: [Problem] {
        let now = now()
        let state = state.withLock { $0 }
        var problems: [Problem] = []
        if let detail = state.databaseProblem { problems.append(Problem(code: "database_unreachable", detail: detail)) }
        if let detail = state.schemaProblem {
            problems.append(Problem(code: "schema_unknown", detail: detail))
        } else if !state.isSchemaKnown {
            problems.append(Problem(code: "starting", detail: "the schema was not verified yet"))
        }
        for watch in watches {
            guard let last = state.roundAt[watch] else {
                problems.append(
                    Problem(code: "poller_not_claiming", detail: "\(watch): no round with the database yet"))
                continue
            }
            guard now - last > silenceMax else { continue }
            let silence = Duration.seconds((now - last).components.seconds).text
            problems.append(Problem(code: "poller_not_claiming", detail: "\(watch): no round for \(silence)"))
        }
        for watch in watches {
            let beat = state.heartbeatAt[watch] ?? state.startedAt
            guard now - beat > silenceMax else { continue }
            let age = Duration.seconds((now - beat).components.seconds).text
            problems.append(Problem(code: "heartbeat_stale", detail: "\(watch): no heartbeat for \(age)"))
        }
        return problems
    }
}
