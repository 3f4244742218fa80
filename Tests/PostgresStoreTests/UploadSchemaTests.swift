import Postgres
import PostgresStore
import Testing
import Uploads

/// What `reconciled.uploads` takes from an application, and what it refuses.
@Suite struct UploadSchemaTests {
    @Test func anApplicationNeedsToSayNoMoreThanWhatIsSent() async throws {
        try await withHarness(UploadTable.self) { harness in
            try await harness.run(
                """
                INSERT INTO reconciled.uploads (id, store, name, total_bytes, chunk_bytes, chunk_count)
                VALUES ('u1', 'a', 'film.mp4', 10, 4, 3)
                """, [])
            let columns = try await harness.columns(of: "u1")
            #expect(columns.status == "receiving")
            let delay = try #require(columns.nextCheckIn)
            #expect(delay > .seconds(2) && delay <= .seconds(5))
        }
    }

    @Test(arguments: [
        ("id", "''", "uploads_id_check"), ("store", "repeat('s', 256)", "uploads_store_check"),
        ("name", "''", "uploads_name_check"), ("name", "repeat('ö', 513)", "uploads_name_check"),
        ("sha256", "repeat('A', 64)", "uploads_sha256_check"), ("sha256", "repeat('a', 63)", "uploads_sha256_check"),
        ("status", "'done'", "uploads_status_check"), ("total_bytes", "-1", "uploads_total_bytes_check"),
        ("chunk_bytes", "0", "uploads_chunk_bytes_check"), ("chunk_count", "1000001", "uploads_chunk_count_check"),
        ("chunk_count", "4", "uploads_plan_check"), ("received_chunks", "-1", "uploads_received_chunks_check"),
        ("merged_bytes", "-1", "uploads_merged_bytes_check"),
        ("reclaimed_bytes", "-1", "uploads_reclaimed_bytes_check"),
        ("s3_upload_id", "''", "uploads_s3_upload_id_check"),
    ])
    func whatNoSessionCanBeIsRefused(column: String, value: String, constraint: String) async throws {
        try await withHarness(UploadTable.self) { harness in
            try await harness.insert(.init("u1"))
            do {
                try await harness.run("UPDATE reconciled.uploads SET \(column) = \(value)", [])
                Issue.record("\(column) = \(value) was taken")
            } catch let error as PostgresError {
                let violated = try #require(error.constraint)
                // What is out of a column's own range may break the rule about the three together first.
                #expect(violated == constraint || violated == "uploads_plan_check", "\(column) = \(value)")
            }
        }
    }

    /// The table and `ChunkPlan` agree about every triple, also where the product exceeds a bigint.
    @Test func theTableKnowsWhichChunksMakeUpAFile() async throws {
        let large: [Int64] = [
            .max, .max - 1, .max / 2, .max / 2 + 1, .max / 999_999, .max / 1_000_000, .max / 1_000_000 + 1,
        ]
        var plans: [(total: Int64, chunk: Int64, count: Int32)] = []
        for total in Array(-1...13) + large {
            for chunk in Array(-1...5) + large {
                for count in Array(Int32(-1)...15) + [999_999, 1_000_000, 1_000_001, .max] {
                    plans.append((total, chunk, count))
                }
            }
        }
        try await withHarness(UploadTable.self) { harness in
            let pool = harness.database.pool
            let constraints = Statement(
                name: "",
                text: """
                    SELECT string_agg('(' || pg_get_expr(conbin, conrelid) || ')', ' AND ') FROM pg_constraint
                    WHERE conname IN (
                        'uploads_total_bytes_check', 'uploads_chunk_bytes_check', 'uploads_chunk_count_check',
                        'uploads_plan_check'
                    )
                    """)
            let expression = try await pool.query(PostgresQuery(constraints)) { rows in
                try rows.first { row in try row.read(String.self) }
            }
            let evaluation = Statement(
                name: "",
                text: """
                    SELECT \(try #require(expression))
                    FROM unnest($1::bigint[], $2::bigint[], $3::integer[])
                        WITH ORDINALITY AS plan (total_bytes, chunk_bytes, chunk_count, position)
                    ORDER BY position
                    """)
            let parameters: [PostgresParameter] = [
                .int8Array(plans.map(\.total)), .int8Array(plans.map(\.chunk)), .int4Array(plans.map(\.count)),
            ]
            let taken = try await pool.query(PostgresQuery(evaluation, parameters)) { rows in
                try rows.map { row in try row.read(Bool.self) }
            }
            #expect(taken.count == plans.count)
            for (plan, isTaken) in zip(plans, taken) {
                let known = ChunkPlan(totalBytes: plan.total, chunkBytes: plan.chunk, count: Int(plan.count))
                #expect(isTaken == (known != nil), "\(plan)")
            }
            #expect(taken.contains(true) && taken.contains(false))
        }
    }

    @Test func aNameIsFreeAgainWhenItsChunksAreGone() async throws {
        try await withHarness(UploadTable.self) { harness in
            try await harness.insert(.init("u1"))
            try await harness.insert(.init("u2"))
            let rename = "UPDATE reconciled.uploads SET name = 'u1.bin' WHERE id = 'u2'"
            do {
                try await harness.run(rename, [])
                Issue.record("two sessions write one target")
            } catch let error as PostgresError {
                #expect(error.constraint == "uploads_name_key")
            }
            try await harness.run("UPDATE reconciled.uploads SET reclaimed_at = now() WHERE id = 'u1'", [])
            try await harness.run(rename, [])
        }
    }
}
