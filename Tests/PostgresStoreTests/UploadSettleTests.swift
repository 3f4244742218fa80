import Postgres
import PostgresStore
import Reconciling
import Schema
import StoreConformance
import Testing
import Timeline

@testable import Uploads

/// How a conclusion's columns reach `reconciled.uploads`.
@Suite struct UploadSettleTests {
    private func withClaim(
        _ body: (PostgresHarness<UploadTable>, PostgresStore<UploadTable>, Claim<Upload>) async throws -> Void
    ) async throws {
        try await withHarness(UploadTable.self) { harness in
            try await harness.insert(.init("u1"))
            let store = try await harness.store(poller: "p1")
            try await body(harness, store, try await claim(store))
        }
    }

    private func claim(_ store: PostgresStore<UploadTable>) async throws -> Claim<Upload> {
        let request = ClaimRequest<String>(
            lease: .seconds(60), quotas: [LaneQuota(lane: "a", count: 10, includesSuspects: true)])
        let result = await store.exchange(Exchange(settlements: [], claim: request))
        return try #require(try result.claimed?.get().claims.first)
    }

    private func settle(
        _ store: PostgresStore<UploadTable>, _ claim: Claim<Upload>, _ change: UploadChange?, delay: Duration? = .zero
    ) async throws {
        let settlement = Settlement(
            held: HeldLease(id: claim.row.id, lane: claim.row.lane, lease: claim.lease),
            statusBefore: claim.row.status, dueAt: claim.dueAt, verdict: .recheck, delay: delay, change: change)
        let outcomes = try await store.exchange(Exchange(settlements: [settlement], claim: nil)).settled.get()
        guard case .written(let status, let dueAt, _)? = outcomes.first else {
            Issue.record("\(outcomes)")
            return
        }
        #expect(status == change?.status ?? claim.row.status && (dueAt == nil) == (delay == nil))
    }

    private func texts(_ harness: PostgresHarness<UploadTable>, _ columns: String) async throws -> [String?] {
        let statement = Statement(name: "", text: "SELECT unnest(ARRAY[\(columns)]::text[]) FROM reconciled.uploads")
        return try await harness.database.pool.query(PostgresQuery(statement)) { rows in
            try rows.map { row in try row.readOptional(String.self) }
        }
    }

    @Test func aChangeIsWrittenAndWhatItLeavesOutIsKept() async throws {
        try await withClaim { harness, store, first in
            let activity = first.claimedAt - .seconds(100)
            let full = UploadChange(
                status: "merging", receivedChunks: 2, missing: "1", mergedBytes: 4, lastActivityAt: activity,
                location: "/files/a", etag: "e", reviewReason: "R", reviewDetail: #"{"chunk":1}"#)
            try await settle(store, first, full)
            let columns = "received_chunks, missing, merged_bytes, location, etag, review_reason, reclaimed_at"
            #expect(try await texts(harness, columns) == ["2", "1", "4", "/files/a", "e", "R", nil])

            let second = try await claim(store)
            #expect(second.row.lastActivityAt == activity)
            try await settle(store, second, UploadChange(status: "complete", lastActivityAt: activity - .seconds(50)))
            #expect(try await texts(harness, columns) == ["2", "1", "4", "/files/a", "e", nil, nil])

            let third = try await claim(store)
            #expect(third.row.lastActivityAt == activity, "the activity went back")
            try await settle(store, third, nil)
            #expect(try await texts(harness, columns) == ["2", "1", "4", "/files/a", "e", nil, nil])
        }
    }

    @Test func reclaimedBytesAddUp() async throws {
        try await withClaim { harness, store, first in
            try await settle(store, first, UploadChange(status: "expired", missing: "", reclaimedBytes: 0))
            #expect(try await texts(harness, "missing, reclaimed_bytes, reclaimed_at IS NULL") == ["", "0", "false"])
            for expected in ["30", "60"] {
                try await settle(store, try await claim(store), UploadChange(status: "expired", reclaimedBytes: 30))
                #expect(try await texts(harness, "reclaimed_bytes") == [expected])
            }
        }
    }

    /// What was noted stays when someone else has decided: a file that is half written, chunks put out of the way.
    @Test func anOvertakenUploadKeepsWhatWasNoted() async throws {
        try await withClaim { harness, store, claim in
            let held = HeldLease(id: "u1", lane: "a", lease: claim.lease)
            #expect(try await store.journal(held, progress: #"{"merged_bytes":4,"state":{"part":7}}"#))
            #expect(try await texts(harness, "merged_bytes") == ["4"])
            #expect(try await store.journal(held, progress: #"{"state":{"part":8}}"#))
            #expect(try await texts(harness, "merged_bytes") == ["4"], "what is not said is kept")
            try await harness.setStatus(of: "u1", to: "expired")
            let settlement = Settlement(
                held: held, statusBefore: "receiving", dueAt: claim.dueAt, verdict: .settled, delay: nil,
                change: UploadChange(status: "complete", mergedBytes: 10, location: "/files/a", reclaimedBytes: 5))
            let outcomes = try await store.exchange(Exchange(settlements: [settlement], claim: nil)).settled.get()
            #expect(outcomes.map(\.undated) == [.overtaken(status: "expired")])
            #expect(
                try await texts(harness, "merged_bytes, location, reclaimed_at, reclaimed_bytes") == [
                    "4", nil, nil, "0",
                ])
            let progress = try await harness.columns(of: "u1").progress
            #expect(progress?.filter { $0 != " " } == #"{"state":{"part":8}}"#)
        }
    }

    /// What was merged is another file than the row speaks of by now: neither a checkpoint nor a settle says otherwise.
    @Test(arguments: [
        "name = 'b'", "total_bytes = total_bytes - 1", "total_bytes = total_bytes * 2, chunk_bytes = chunk_bytes * 2",
        "total_bytes = total_bytes + chunk_bytes, chunk_count = chunk_count + 1", "sha256 = repeat('0', 64)",
        "s3_upload_id = 'u'",
    ])
    func aSessionThatWasChangedMeanwhileIsNotDecided(change: String) async throws {
        try await withClaim { harness, store, claim in
            let held = HeldLease(id: "u1", lane: "a", lease: claim.lease)
            let noted = UploadProgress(mergedBytes: 4).journaled(of: claim.row)
            #expect(try await store.journal(held, progress: noted))
            #expect(try await harness.columns(of: "u1").progress?.contains("session") == false)
            let statement = Statement(name: "", text: "UPDATE reconciled.uploads SET \(change)")
            try await harness.database.pool.execute(PostgresQuery(statement))
            #expect(try await !store.journal(held, progress: noted))
            let settlement = Settlement(
                held: held, statusBefore: "receiving", basis: claim.row.basis, dueAt: claim.dueAt, verdict: .settled,
                delay: nil, change: UploadChange(status: "complete", location: "/files/a", reclaimedBytes: 5))
            let outcomes = try await store.exchange(Exchange(settlements: [settlement], claim: nil)).settled.get()
            guard case .overtaken("receiving", .some, _)? = outcomes.first else {
                Issue.record("\(outcomes)")
                return
            }
            #expect(try await texts(harness, "location, reclaimed_at") == [nil, nil])
        }
    }

    /// A check that changes nothing says nothing of another session either: not that it waits, nor what is known of it.
    @Test(arguments: [true, false]) func whatWasNotedOfAnotherSessionIsNotWritten(isSame: Bool) async throws {
        try await withClaim { harness, store, claim in
            if !isSame { try await harness.run("UPDATE reconciled.uploads SET name = 'b'", []) }
            try await harness.run(#"UPDATE reconciled.uploads SET progress = '{"restarts": 1}'"#, [])
            let settlement = Settlement<String, UploadChange>(
                held: HeldLease(id: "u1", lane: "a", lease: claim.lease), statusBefore: "receiving",
                basis: claim.row.basis, dueAt: claim.dueAt, verdict: .failed, delay: .seconds(600), failureCount: 3,
                error: "Not enough space", progress: #"{"space_waits": 7}"#)
            let outcomes = try await store.exchange(Exchange(settlements: [settlement], claim: nil)).settled.get()
            let columns = try await harness.columns(of: "u1")
            #expect(columns.progress?.contains(isSame ? "space_waits" : "restarts") == true)
            #expect(columns.lastError == (isSame ? "Not enough space" : nil))
            #expect(columns.failureCount == (isSame ? 3 : 0) && columns.status == "receiving")
            switch outcomes.first {
            case .written("receiving", .some, _)?: #expect(isSame)
            case .overtaken("receiving", .some, _)?: #expect(!isSame)
            default: Issue.record("\(outcomes)")
            }
        }
    }

    /// Concludes the same of every upload, which someone makes another session meanwhile.
    private struct Meanwhile: Reconciler {
        let harness: PostgresHarness<UploadTable>
        let conclusion: Conclusion<UploadChange>

        func check(_ claim: Claim<Upload>, context: CheckContext) async -> Conclusion<UploadChange> {
            do {
                try await harness.run("UPDATE reconciled.uploads SET name = 'b'", [])
            } catch {
                Issue.record("\(error)")
            }
            return conclusion
        }

        func refused(
            _ claim: Claim<Upload>, _ conclusion: Conclusion<UploadChange>, by refusal: Refusal
        ) -> Conclusion<UploadChange> { conclusion }

        func poisoned(_ claim: Claim<Upload>) -> Conclusion<UploadChange> { conclusion }
    }

    /// Whoever concludes, and whatever: the engine compares what the claim read. A row that is given up as poisonous is no
    /// other case.
    @Test func everythingThatIsWrittenIsComparedWithTheClaim() async throws {
        let conclusions = [
            Conclusion<UploadChange>(.failed, next: .backoff, error: "away"),
            Conclusion(
                .review, next: .rest, change: UploadChange(status: "review", reviewReason: "POISON"), reason: "POISON"),
        ]
        for conclusion in conclusions {
            try await withClaim { harness, store, claim in
                let check = try await reconcileOnce(
                    claim, sentAt: .now, lease: .seconds(60), lane: LaneConfiguration(name: "a"), store: store,
                    reconciler: Meanwhile(harness: harness, conclusion: conclusion))
                guard case .overtaken("receiving", .some, _)? = check.outcome else {
                    Issue.record("\(check)")
                    return
                }
                #expect(try await texts(harness, "review_reason, last_error") == [nil, nil])
            }
        }
    }

    /// Whoever cancels an upload stops its merge at the next checkpoint.
    @Test func anUploadThatWasCancelledIsNotNoted() async throws {
        try await withClaim { harness, store, claim in
            try await harness.setStatus(of: "u1", to: "expired")
            let held = HeldLease(id: "u1", lane: "a", lease: claim.lease)
            #expect(try await !store.journal(held, progress: UploadProgress().journaled(of: claim.row)))
        }
    }

    /// A long merge may be killed more than six times; what kills its pollers at the same place each time may not.
    @Test func claimsAreCountedAnewWhenTheFileHasGrown() async throws {
        try await withHarness(UploadTable.self) { harness in
            try await harness.insert(.init("u1", claimCount: 4))
            let store = try await harness.store(poller: "p1")
            let claim = try await claim(store)
            let held = HeldLease(id: "u1", lane: "a", lease: claim.lease)
            func counted(_ progress: String) async throws -> Int {
                #expect(try await store.journal(held, progress: progress))
                return try await harness.columns(of: "u1").claimCount
            }
            #expect(try await counted(#"{"state": 1}"#) == 5)
            #expect(try await counted(#"{"merged_bytes": 0}"#) == 5)
            #expect(try await counted(#"{"merged_bytes": 7}"#) == 1)
            // Killed here again and again: it dies at the same place.
            try await harness.run("UPDATE reconciled.uploads SET claim_count = 5", [])
            #expect(try await counted(#"{"merged_bytes": 7}"#) == 5)
            #expect(try await counted(#"{"merged_bytes": 4}"#) == 5)
            #expect(try await counted(#"{"merged_bytes": 5}"#) == 1)
            try await store.handBack([held])
            #expect(try await harness.columns(of: "u1").claimCount == 0)
        }
    }
}
