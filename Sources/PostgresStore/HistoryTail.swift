import Postgres
import Schema

/// The end of the history, for those who follow it.
public struct HistoryTail: Sendable {
    let pool: PostgresPool

    public init(pool: PostgresPool) {
        self.pool = pool
    }

    public struct Entry: Hashable, Sendable {
        public var id: Int64
        public var watch: String
        /// The entry as a JSON object.
        public var json: String

        public init(id: Int64, watch: String, json: String) {
            self.id = id
            self.watch = watch
            self.json = json
        }
    }

    /// Entries after `id` and those of `missing` that are there by now, by id.
    public func entries(
        after id: Int64, missing: [Int64], limit: Int
    ) async throws(PostgresError) -> [Entry] {
        let parameters: [PostgresParameter] = [.int8(id), .int8Array(missing), .int4(Int32(clamping: limit))]
        return try await pool.query(PostgresQuery(.sql("read_history_after"), parameters)) { rows in
            try rows.map { row in Entry(id: try row.read(), watch: try row.read(), json: try row.read()) }
        }
    }

    /// The ids of the newest entries, by id.
    public func newestIDs(limit: Int) async throws(PostgresError) -> [Int64] {
        try await pool.query(PostgresQuery(.sql("recent_history_ids"), [.int4(Int32(clamping: limit))])) { rows in
            try rows.map { row in try row.read(Int64.self) }
        }
    }
}
