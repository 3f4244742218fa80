import JSON
import Postgres
import PostgresStore
import Testing
import Timeline
import Uploads

/// What people do with uploads, and what is counted about them.
@Suite struct UploadDeskTests {
    private static let session = """
        {"id": "u1", "store": "a", "name": "film.mp4", "total_bytes": 10, "chunk_bytes": 4,
         "sha256": "\(String(repeating: "aB", count: 32))", "metadata": {"shop": 7}}
        """

    private static let policy = UploadPolicy(expireAfter: .seconds(7_200), reclaimAfter: .seconds(600))

    private func withDesk(
        _ body: (PostgresHarness<UploadTable>, WatchDesk<UploadTable>) async throws -> Void
    ) async throws {
        try await withHarness(UploadTable.self) { harness in
            try await body(harness, WatchDesk(pool: harness.database.pool, actor: "ann"))
        }
    }

    private func row(_ desk: WatchDesk<UploadTable>, _ id: String = "u1") async throws -> JSONValue {
        try JSONValue(parsing: try #require(try await desk.show(id)))
    }

    @Test func addingTwiceIsAddingOnce() async throws {
        try await withDesk { _, desk in
            func outcomes(_ object: String) async throws -> [AddOutcome] {
                try await desk.add("[\(object)]").map(\.outcome)
            }
            #expect(try await outcomes(Self.session) == [.added])
            #expect(try await outcomes(Self.session) == [.exists])
            let other = Self.session.replacing("\"total_bytes\": 10", with: "\"total_bytes\": 11")
            #expect(try await outcomes(other) == [.differs])
            let row = try await row(desk)
            #expect(row["chunk_count"]?.integer == 3)
            #expect(row["sha256"]?.string == String(repeating: "ab", count: 32))
            #expect(row["status"]?.string == "receiving")
            #expect(row["metadata"]?["shop"]?.integer == 7)
        }
    }

    /// An application sets the status and no more, of an upload whose chunks went.
    @Test func whatGoesOnByStatusAloneHoldsItsNameAgain() async throws {
        try await withDesk { harness, desk in
            _ = try await desk.add("[\(Self.session)]")
            try await harness.run("UPDATE reconciled.uploads SET status = 'expired', reclaimed_at = now()", [])
            try await harness.run("UPDATE reconciled.uploads SET status = 'review'", [])
            #expect(try await row(desk)["reclaimed_at"]?.string != nil)
            try await harness.run("UPDATE reconciled.uploads SET status = 'receiving'", [])
            #expect(try await row(desk)["reclaimed_at"]?.isNull == true)
            // Meanwhile another one of that name may have begun.
            try await harness.run("UPDATE reconciled.uploads SET status = 'expired', reclaimed_at = now()", [])
            _ = try await desk.add("[\(Self.session.replacing("u1", with: "u2"))]")
            let error = await #expect(throws: PostgresError.self) {
                try await harness.run("UPDATE reconciled.uploads SET status = 'receiving' WHERE id = 'u1'", [])
            }
            #expect(error?.sqlState == "23505")
        }
    }

    @Test func aRowIsReadAsAClaimReadsIt() async throws {
        try await withDesk { harness, desk in
            _ = try await desk.add("[\(Self.session)]")
            try await harness.run(
                """
                UPDATE reconciled.uploads
                SET received_chunks = 2, merged_bytes = 4, s3_upload_id = 'mp', review_reason = 'R',
                    last_activity_at = now() - interval '1 hour', expires_at = now() + interval '1 hour',
                    reclaimed_at = now() - interval '1 minute'
                """, [])
            let read = try #require(try await desk.read("u1"))
            let poller = PollerIdentity(version: "test").poller(of: UploadTable.watch)
            let claim = try #require(try await desk.claim("u1", poller: poller, lease: .seconds(60)))
            #expect(read.row == claim.row)
            #expect(try await desk.claim("u1", poller: poller, lease: .seconds(60)) == nil)
            let upload = claim.row
            #expect(upload.plan?.count == 3 && upload.name == "film.mp4" && upload.store == "a")
            #expect(upload.receivedChunks == 2 && upload.mergedBytes == 4 && upload.s3UploadID == "mp")
            #expect(upload.reviewReason == "R" && upload.reclaimedAt != nil && upload.expiresAt != nil)
            #expect(claim.cadenceAnchor == upload.lastActivityAt)
            #expect(claim.claimedAt - claim.cadenceAnchor >= .seconds(3_600))
        }
    }

    @Test func resolvingToReceivingBeginsAnew() async throws {
        try await withDesk { harness, desk in
            try await harness.insert(.init("u1", dueIn: nil, claimCount: 6))
            try await harness.run(
                """
                UPDATE reconciled.uploads
                SET status = 'review', review_reason = 'DIGEST_MISMATCH', review_detail = '{}', failure_count = 9,
                    last_error = 'wrong', expires_at = now() - interval '1 day', reclaimed_at = now(),
                    progress = '{"merged_bytes": 4, "state": {"etag": null}, "reviewed": "DIGEST_MISMATCH", "restarts": 3}'
                """, [])
            _ = try await desk.resolve("u1", status: "receiving", note: "sent again", Self.policy)
            let columns = try await harness.columns(of: "u1")
            #expect(columns.status == "receiving" && columns.failureCount == 0 && columns.claimCount == 0)
            #expect(columns.lastError == nil)
            #expect(try #require(columns.nextCheckIn) <= .zero)
            let row = try await row(desk)
            #expect(row["review_reason"]?.isNull == true && row["review_detail"]?.isNull == true)
            #expect(row["reclaimed_at"]?.isNull == true)
            #expect(row["progress"]?["state"]?["etag"]?.isNull == true)
            #expect(row["progress"]?["merged_bytes"]?.integer == 4)
            // An upload that expired has its chunks brought back from the trash.
            #expect(row["progress"]?["restore"]?.bool == true)
            #expect(row["progress"]?["reviewed"] == nil && row["progress"]?["restarts"] == nil)
            let expiry = try #require(row["expires_at"]?.string.flatMap { Timestamp($0) })
            let updated = try #require(row["updated_at"]?.string.flatMap { Timestamp($0) })
            #expect(expiry - updated == Self.policy.expireAfter)
            let history = try await desk.history("u1").map { try JSONValue(parsing: $0) }
            #expect(history.map { $0["reason"]?.string } == ["RESOLVED"])
            #expect(history.first?["answer"]?["note"]?.string == "sent again")
            #expect(history.first?["actor"]?.string == "ann")
        }
    }

    /// A person's word is the proof: the chunks are kept for the usual time and then reclaimed.
    @Test func resolvingToCompleteHasTheChunksReclaimedInTime() async throws {
        try await withDesk { harness, desk in
            try await harness.insert(.init("u1", dueIn: nil))
            _ = try await desk.resolve("u1", status: "complete", note: "seen it", Self.policy)
            let delay = try #require(try await harness.columns(of: "u1").nextCheckIn)
            #expect(delay > .seconds(590) && delay <= .seconds(600))
            let row = try await row(desk)
            let reclaimAt = try #require(row["progress"]?["reclaim_at"]?.string.flatMap { Timestamp($0) })
            #expect(reclaimAt == row["next_check_at"]?.string.flatMap { Timestamp($0) })
            #expect(row["progress"]?["resolved"]?.bool == true)
            // Chunks that came before that go with it, though no check has seen them.
            #expect(row["last_activity_at"] == row["updated_at"])
            _ = try await desk.resolve("u1", status: "receiving", note: "not yet", Self.policy)
            #expect(try await self.row(desk)["progress"]?["resolved"]?.bool == false)
            #expect(try await self.row(desk)["progress"]?["restore"]?.bool == true)
            _ = try await desk.resolve("u1", status: "expired", note: "not needed", Self.policy)
            #expect(try await self.row(desk)["progress"]?["restore"]?.bool == false)
            #expect(try await self.row(desk)["progress"]?["resolved"]?.bool == true)
            #expect(try #require(try await harness.columns(of: "u1").nextCheckIn) <= .zero)
            try await harness.run("UPDATE reconciled.uploads SET reclaimed_at = now()", [])
            _ = try await desk.resolve("u1", status: "complete", note: "after all", Self.policy)
            #expect(try await harness.columns(of: "u1").nextCheckIn == nil)
        }
    }

    @Test func uploadsAreListedNudgedAndRemoved() async throws {
        try await withDesk { harness, desk in
            for id in ["u1", "u2", "u3"] { try await harness.insert(.init(id, dueIn: .seconds(900))) }
            #expect(try await desk.nudge(["u2", "none"]) == ["u2"])
            let due = try await desk.rows(RowFilter(isDue: true), limit: 10).rows.map {
                try JSONValue(parsing: $0)["id"]?.string
            }
            #expect(due == ["u2"])
            #expect(try await desk.rows(RowFilter(status: "receiving", after: "u1"), limit: 1).rows.count == 1)
            #expect(try await desk.remove("u2"))
            #expect(try await desk.remove("u2") == false)
            let reasons = try await desk.history("u2").map { try JSONValue(parsing: $0)["reason"]?.string }
            #expect(reasons == ["NUDGED", "REMOVED"])
        }
    }

    @Test func whatWaitsAndWhatWasReclaimedIsCounted() async throws {
        try await withHarness(UploadTable.self) { harness in
            let overview = WatchOverview<UploadTable>(pool: harness.database.pool)
            try await harness.insert(.init("due", dueIn: .seconds(-30)))
            try await harness.insert(.init("later", dueIn: .seconds(900)))
            try await harness.insert(.init("gone", lane: "b", dueIn: nil))
            try await harness.run(
                """
                UPDATE reconciled.uploads
                SET status = 'expired', reclaimed_at = now(), reclaimed_bytes = 70, review_reason = 'R'
                WHERE id = 'gone'
                """, [])
            let lanes = try await overview.lanes(["a", "b"])
            #expect(lanes.map { [$0.waiting, $0.due, $0.inFlight].map(\.count) } == [[2, 1, 0], [0, 0, 0]])
            #expect(try #require(lanes.first?.late) >= .seconds(30))
            #expect(try await overview.statuses().map(\.status) == ["expired", "receiving"])
            #expect(try await overview.reviews().map(\.reason) == ["R"])
            #expect(
                try await overview.reclaimed(lanes: ["a", "b"])
                    == [ReclaimedUploads(lane: "b", uploads: RowCount(1), bytes: 70)])
        }
    }

    /// What was freed last is told to a bound; that there was more before is said.
    @Test func whatWasReclaimedIsCountedToABound() async throws {
        try await withHarness(UploadTable.self) { harness in
            let overview = WatchOverview<UploadTable>(pool: harness.database.pool)
            try await harness.run(
                """
                INSERT INTO reconciled.uploads (id, store, name, total_bytes, chunk_bytes, chunk_count, status,
                    next_check_at, reclaimed_at, reclaimed_bytes)
                SELECT 'u' || n, 'a', 'u' || n, 10, 4, 3, 'complete', NULL, now() - n * interval '1 minute', 10 ^ (n - 1)
                FROM generate_series(1, 4) AS n
                """, [])
            #expect(
                try await overview.reclaimed(lanes: ["a"], bound: 3)
                    == [ReclaimedUploads(lane: "a", uploads: RowCount(3, .atLeast), bytes: 111)])
            #expect(
                try await overview.reclaimed(lanes: ["a"], bound: 4)
                    == [ReclaimedUploads(lane: "a", uploads: RowCount(4), bytes: 1_111)])
        }
    }

    @Test func whatCannotMakeProgressIsFound() async throws {
        try await withHarness(UploadTable.self) { harness in
            let overview = WatchOverview<UploadTable>(pool: harness.database.pool)
            try await harness.insert(.init("adrift", dueIn: nil))
            try await harness.insert(.init("lapsed", dueIn: .seconds(-300)))
            try await harness.insert(.init("elsewhere", lane: "b", dueIn: .seconds(900)))
            for id in ["stranded", "gone", "seen", "busy"] { try await harness.insert(.init(id, dueIn: nil)) }
            try await harness.run(
                """
                UPDATE reconciled.uploads SET status = 'complete',
                    reclaimed_at = CASE WHEN id = 'gone' THEN now() END,
                    review_reason = CASE WHEN id = 'seen' THEN 'TARGET_MISSING' END,
                    next_check_at = CASE WHEN id = 'busy' THEN now() END
                WHERE id IN ('stranded', 'gone', 'seen', 'busy')
                """, [])
            try await harness.run(
                """
                UPDATE reconciled.uploads SET lease_token = 1, leased_by = 'x',
                    lease_expires_at = now() - interval '2 minutes'
                WHERE id = 'lapsed'
                """, [])
            let findings = try await overview.audit(lanes: ["a"])
            #expect(Set(findings.map(\.kind)) == ["adrift", "unreclaimed", "unclaimed", "unconfigured"])
            let stranded = findings.first { $0.kind == "unreclaimed" }
            #expect(stranded?.rowID == "stranded" && stranded?.count == 1)
            #expect(findings.first { $0.kind == "adrift" }?.rowID == "adrift")
            #expect(findings.first { $0.kind == "unclaimed" }?.rowID == "lapsed")
            #expect(findings.first { $0.kind == "unconfigured" }?.lane == "b")
            try await harness.run(
                "UPDATE reconciled.uploads SET next_check_at = now() WHERE id NOT IN ('elsewhere', 'gone', 'seen')", [])
            #expect(try await overview.audit(lanes: ["a", "b"]).isEmpty)
        }
    }
}
