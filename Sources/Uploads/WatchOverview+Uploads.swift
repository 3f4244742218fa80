import Postgres
import PostgresStore
import Schema

extension WatchOverview where Table == UploadTable {
    /// What reclaiming chunks has freed, by lane.
    public func reclaimed() async throws(PostgresError) -> [(lane: String, uploads: Int64, bytes: Int64)] {
        try await pool.query(PostgresQuery(.sql("count_uploads_reclaimed"))) { rows in
            try rows.map { row in (lane: try row.read(), uploads: try row.read(), bytes: try row.read()) }
        }
    }

    /// The uploads of these lanes that are being merged, as JSON objects.
    public func merging(lanes: [String], limit: Int) async throws(PostgresError) -> [String] {
        let query = PostgresQuery(.sql("merging_uploads"), [.textArray(lanes), .int4(Int32(clamping: limit))])
        return try await pool.query(query) { rows in try rows.map { row in try row.read(String.self) } }
    }
}
