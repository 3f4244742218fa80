import Postgres
import Schema
import Timeline

/// Lanes and pollers as the database knows them, and what people do with a lane.
public struct Registry: Sendable {
    let pool: PostgresPool

    public init(pool: PostgresPool) {
        self.pool = pool
    }

    public struct Lane: Hashable, Sendable {
        public var name: String
        public var paused: Bool
        /// Nil when the lane paused itself for its configuration.
        public var pausedBy: String?
        public var pauseReason: String?
        public var pausedAt: Timestamp?
        /// How much longer the gateway wants not to be asked.
        public var heldFor: Duration?
    }

    public func lanes() async throws(PostgresError) -> [Lane] {
        try await pool.query(PostgresQuery(.sql("list_lanes"))) { rows in
            try rows.map { row in
                Lane(
                    name: try row.read(), paused: try row.read(), pausedBy: try row.readOptional(),
                    pauseReason: try row.readOptional(), pausedAt: try row.readOptional(),
                    heldFor: try row.readOptional())
            }
        }
    }

    public struct RegisteredPoller: Hashable, Sendable {
        public var id: String
        public var watch: String
        public var version: String
        public var startedAt: Timestamp
        /// Since its last heartbeat.
        public var silentFor: Duration
        public var stopped: Bool
    }

    public func pollers() async throws(PostgresError) -> [RegisteredPoller] {
        try await pool.query(PostgresQuery(.sql("list_pollers"))) { rows in
            try rows.map { row in
                RegisteredPoller(
                    id: try row.read(), watch: try row.read(), version: try row.read(), startedAt: try row.read(),
                    silentFor: try row.read(), stopped: try row.read())
            }
        }
    }

    /// The newest changes over all watches as JSON objects, newest first; rows that were merely added are none.
    public func recentHistory(limit: Int) async throws(PostgresError) -> [String] {
        try await pool.query(PostgresQuery(.sql("list_recent_history"), [.int4(Int32(clamping: limit))])) { rows in
            try rows.map { row in try row.read(String.self) }
        }
    }

    /// What of the server slows claims down or makes times doubtful.
    public struct Server: Hashable, Sendable {
        /// Its clock minus ours.
        public var skew: Duration
        public var version: String
        /// Age of the oldest open snapshot: dead rows younger than it cannot be vacuumed. Nil where others' are not to be seen.
        public var xminAge: Duration?
        public var deadRows: Int64
        public var liveRows: Int64
    }

    /// - Parameter clock: read once a connection is at hand, for a wait in the pool is no skew.
    public func server(clock: @escaping @Sendable () -> Timestamp = { .wallClock }) async throws -> Server? {
        try await pool.withTransaction { transaction in
            let askedAt = clock()
            return try transaction.query(PostgresQuery(.sql("audit_server"))) { rows in
                try rows.first { row in
                    Server(
                        skew: try row.read(Timestamp.self) - askedAt, version: try row.read(),
                        xminAge: try row.readOptional(), deadRows: try row.read(), liveRows: try row.read())
                }
            }
        }
    }

    /// Pauses a lane until a person resumes it.
    public func pause(lane: String, by person: String, reason: String) async throws(PostgresError) {
        _ = try await pool.execute(
            PostgresQuery(.sql("pause_lane"), [.text(lane), .text(person), .text(reason)]))
    }

    /// Ends any pause and any hold; false if there was none.
    public func resume(lane: String, by person: String) async throws(PostgresError) -> Bool {
        try await pool.query(PostgresQuery(.sql("resume_lane"), [.text(lane), .text(person)])) { rows in
            rows.count == 1
        }
    }

    /// Who paused and resumed a lane, as JSON objects, oldest first.
    public func history(lane: String, limit: Int) async throws(PostgresError) -> [String] {
        let query = PostgresQuery(.sql("list_history"), [.text("lanes"), .text(lane), .int4(Int32(clamping: limit))])
        return try await pool.query(query) { rows in try rows.map { row in try row.read(String.self) } }
    }

    /// Makes the partitions of `checks` ahead and forgets old ones.
    public func maintainChecks() async throws(PostgresError) {
        _ = try await pool.execute(PostgresQuery(.sql("make_check_partitions")))
        _ = try await pool.execute(PostgresQuery(.sql("forget_old_checks")))
    }
}
