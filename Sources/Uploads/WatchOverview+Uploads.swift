import Postgres
import PostgresStore
import Schema

extension WatchOverview where Table == UploadTable {
    /// What reclaiming chunks has freed in these lanes: of the uploads that were reclaimed last, to a bound in each.
    public func reclaimed(
        lanes: [String], bound: Int32 = DeskBounds.countedMax
    ) async throws(PostgresError) -> [ReclaimedUploads] {
        let query = PostgresQuery(.sql("count_uploads_reclaimed"), [.textArray(lanes), .int4(bound)])
        return try await readByIndex(query) { row in
            let lane = try row.read(String.self)
            let (uploads, isWhole) = (try row.read(Int64.self), try row.read(Bool.self))
            return ReclaimedUploads(
                lane: lane, uploads: RowCount(uploads, isWhole ? .exact : .atLeast), bytes: try row.read())
        }
    }

    /// The uploads of these lanes that are being merged, as JSON objects.
    public func merging(lanes: [String], limit: Int) async throws(PostgresError) -> [String] {
        let query = PostgresQuery(.sql("merging_uploads"), [.textArray(lanes), .int4(Int32(clamping: limit))])
        return try await pool.query(query) { rows in try rows.map { row in try row.read(String.self) } }
    }
}

/// What reclaiming has freed in a lane.
public struct ReclaimedUploads: Hashable, Sendable {
    public var lane: String
    public var uploads: RowCount
    /// Of those uploads.
    public var bytes: Int64

    public init(lane: String, uploads: RowCount, bytes: Int64) {
        self.lane = lane
        self.uploads = uploads
        self.bytes = bytes
    }
}
