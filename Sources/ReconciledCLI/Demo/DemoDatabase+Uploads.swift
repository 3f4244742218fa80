import Postgres
import Schema

extension DemoDatabase {
    struct UploadOutcome: Sendable {
        var id: String
        var status: String
        var reviewReason: String?
        var receivedChunks: Int
        var missing: String?
        var mergedBytes: Int64
        var isReclaimed: Bool
        var isResting: Bool
        /// Of the poller that has it at this moment.
        var processID: Int?
    }

    /// - Parameter digests: what the clients announce, in the same order.
    func insert(_ uploads: [DemoUpload], digests: [String?]) async throws {
        let parameters: [PostgresParameter] = [
            .textArray(uploads.map(\.id)), .textArray(uploads.map(\.store)), .textArray(uploads.map(\.name)),
            .int8Array(uploads.map(\.plan.totalBytes)), .int8Array(uploads.map(\.plan.chunkBytes)),
            .int4Array(uploads.map { Int32(clamping: $0.plan.count) }), .textArray(digests),
            .boolArray(uploads.map { $0.scenario == .abandoned }),
        ]
        try await pool.execute(PostgresQuery(.sql("demo_uploads"), parameters))
    }

    func uploadOutcomes() async throws -> [UploadOutcome] {
        try await pool.query(PostgresQuery(.sql("demo_upload_outcomes"))) { rows in
            try rows.map { row in
                UploadOutcome(
                    id: try row.read(), status: try row.read(), reviewReason: try row.readOptional(),
                    receivedChunks: try row.read(), missing: try row.readOptional(), mergedBytes: try row.read(),
                    isReclaimed: try row.read(), isResting: try row.read(), processID: try row.readOptional())
            }
        }
    }
}
