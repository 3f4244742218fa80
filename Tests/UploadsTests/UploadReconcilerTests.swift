import JSON
import Reconciling
import Testing
import Timeline

@testable import Uploads

@Suite struct UploadReconcilerTests {
    private struct Lost: Error {}

    private func reconciler(_ store: MemoryStore, _ policy: UploadPolicy = Session.policy) -> UploadReconciler {
        UploadReconciler(lanes: ["local": UploadLane(store: store, policy: policy)])
    }

    private func answer(_ session: WatchedSession) throws -> JSONValue {
        try JSONValue(parsing: try #require(session.last?.answer))
    }

    // MARK: the flow

    @Test func aWholeUploadIsMergedAndItsChunksReclaimed() async throws {
        let store = MemoryStore()
        var session = WatchedSession(Session.upload())
        #expect(await session.check(reconciler(store)))
        #expect(store.seen.log == ["inspect"])
        #expect(await session.check(reconciler(store)))
        #expect(session.now == Session.now)
        #expect(try answer(session)["location"]?.string == "/t/a.bin")
        #expect(try answer(session)["bytes"]?.integer == 12)
        // Nudged at once, its chunks stay for their time.
        let due = try #require(session.dueAt)
        #expect(due == Session.now + .seconds(600))
        session.dueAt = session.now + .seconds(1)
        #expect(await session.check(reconciler(store)))
        #expect(session.dueAt == due && store.seen.chunkBytes == 12)
        #expect(await session.check(reconciler(store)))
        #expect(try answer(session)["reclaimed_bytes"]?.integer == 12)
        #expect(store.seen.log == ["inspect", "merge", "reclaim"])
        #expect(session.statuses == ["receiving", "merging", "complete"])
        #expect(session.dueAt == nil && session.progress == nil && session.reclaimedBytes == 12)
        #expect(await !session.check(reconciler(store)))
    }

    @Test func anAbandonedUploadExpiresAndItsChunksGoByTheTrash() async throws {
        let store = MemoryStore { $0.inventory = Session.holed }
        var session = WatchedSession(Session.upload())
        var count = 0
        while await session.check(reconciler(store)), count < 1_000 { count += 1 }
        #expect(session.statuses == ["receiving", "expired"])
        #expect(store.seen.log.suffix(4) == ["inspect", "prove", "discard", "purge"])
        #expect(!store.seen.log.dropLast(3).contains("prove"))
        #expect(session.reclaimedBytes == 12 && session.progress == nil)
        #expect(store.seen.trashBytes == 0)
        // An hour after the last activity, and ten minutes in the trash.
        #expect(session.now >= Session.created + .seconds(4_200))
        #expect(session.now < Session.created + .seconds(4_260))
    }

    @Test func anUploadThatFinishedAfterAllIsNotLost() async throws {
        let store = MemoryStore {
            $0.inventory = Session.holed
            $0.hasTarget = true
        }
        var session = WatchedSession(Session.upload())
        while await session.check(reconciler(store)) {}
        #expect(session.statuses == ["receiving", "complete"])
        #expect(!store.seen.log.contains("discard"))
    }

    @Test func chunksThatComeAreWaitedFor() async throws {
        let store = MemoryStore { $0.inventory = Session.empty }
        var session = WatchedSession(Session.upload())
        #expect(await session.check(reconciler(store)))
        store.change { $0.inventory = Session.holed }
        #expect(await session.check(reconciler(store)))
        #expect(session.upload.receivedChunks == 2)
        #expect(try answer(session)["missing"]?.string == "1")
        #expect(session.last?.cadenceAnchor == session.now)
        store.change {
            $0.inventory = Session.whole
            $0.inventory.quietFor = .zero
        }
        #expect(await session.check(reconciler(store)))
        #expect(session.upload.status == "receiving" && session.dueAt == session.now + .seconds(5) + UploadRules.margin)
        while await session.check(reconciler(store)) {}
        #expect(session.statuses == ["receiving", "merging", "complete"])
    }

    @Test func aMergeGoesOnFromItsCheckpoint() async throws {
        let store = MemoryStore {
            $0.checkpoints = [5, 10]
            $0.merges = [.interrupted]
        }
        var session = WatchedSession(Session.upload(status: "merging"))
        #expect(await session.check(reconciler(store)))
        #expect(session.last?.next == .handBack)
        let basis = try #require(Session.upload(status: "merging").basis)
        #expect(
            session.journaled
                == [5, 10].map { bytes in
                    #"{"merged_bytes":\#(bytes),"state":{"at":\#(bytes)},"session":\#(basis.dropLast()),"status":"merging"}}"#
                })
        store.change { $0.checkpoints = [] }
        #expect(await session.check(reconciler(store)))
        #expect(store.seen.states == [nil, .object([.init("at", .number("10"))])])
        #expect(session.upload.status == "complete")
    }

    @Test func whatWasNotedInThisCheckIsKeptThroughAFailure() async throws {
        for outcome in [
            MergeOutcome.noSpace(neededBytes: 12, freeBytes: 1),
            .fault(StoreFault(.unavailable(retryAfter: nil), "away")), .fault(StoreFault(.unreadable, "garbage")),
        ] {
            let store = MemoryStore {
                $0.checkpoints = [5]
                $0.merges = [outcome]
            }
            var session = WatchedSession(Session.upload(status: "merging"))
            #expect(await session.check(reconciler(store)))
            let progress = UploadProgress(json: session.progress)
            #expect(progress.mergedBytes == 5 && progress.state == .object([.init("at", .number("5"))]))
            #expect(session.upload.status == "merging" && session.dueAt != nil)
        }
    }

    @Test func aLostLeaseEndsTheMerge() async throws {
        let store = MemoryStore { $0.checkpoints = [5] }
        var session = WatchedSession(Session.upload(status: "merging"))
        #expect(await session.check(reconciler(store), journal: { false }))
        #expect(session.last?.next == .handBack && session.last?.laneSignal == .silent)
        #expect(!store.seen.hasTarget && session.last?.change == nil)
        #expect(await session.check(reconciler(store), journal: { throw Lost() }))
        #expect(session.last?.next == .handBack && !store.seen.hasTarget)
    }

    @Test func aFullDiskIsWaitedForWithoutBlamingTheLane() async throws {
        let store = MemoryStore { $0.merges = Array(repeating: .noSpace(neededBytes: 12, freeBytes: 1), count: 3) }
        var session = WatchedSession(Session.upload(status: "merging"))
        var waits: [Duration] = []
        for _ in 0..<3 {
            #expect(await session.check(reconciler(store)))
            #expect(session.last?.verdict == .recheck && session.last?.laneSignal == .answered)
            #expect(session.last?.reason == "NO_SPACE" && session.last?.error?.contains("12 bytes") == true)
            waits.append(try #require(session.dueAt) - session.now)
        }
        #expect(waits == [.seconds(1), .seconds(2), .seconds(4)])
        #expect(try answer(session)["needed_bytes"]?.integer == 12)
        #expect(await session.check(reconciler(store)))
        #expect(session.upload.status == "complete")
    }

    @Test func chunksThatChangeAreMergedAnew() async throws {
        let store = MemoryStore {
            $0.checkpoints = [5]
            $0.merges = [.chunksChanged]
        }
        var session = WatchedSession(Session.upload())
        while await session.check(reconciler(store)) {}
        #expect(session.statuses == ["receiving", "merging", "receiving", "merging", "complete"])
        #expect(store.seen.log == ["inspect", "merge", "inspect", "merge", "reclaim"])
        // The store is told what it noted: whether that is of use is its own to know.
        #expect(store.seen.states[3] == .object([.init("at", .number("5"))]))
    }

    @Test func aWrongDigestIsRightOnceTheBadChunkWasSentAgain() async throws {
        let store = MemoryStore { $0.merges = [.digestMismatch(Session.detail)] }
        var session = WatchedSession(Session.upload(status: "merging"))
        while await session.check(reconciler(store)) {}
        #expect(session.upload.status == "review" && session.upload.reviewReason == "DIGEST_MISMATCH")
        #expect(store.seen.chunkBytes == 12)
        #expect(try answer(session)["detail"] == Session.detail)
        session.dueAt = session.now
        while await session.check(reconciler(store)) {}
        #expect(session.statuses == ["merging", "review", "complete"])
        #expect(session.upload.reviewReason == nil && session.reclaimedBytes == 12)
    }

    /// Something is where its chunks belong: that is told, and the upload waits for it no longer than for chunks.
    @Test func whatIsInTheWayOfARestoreKeepsNothingFromExpiring() async throws {
        let store = MemoryStore {
            $0.inventory = Session.empty
            $0.inventory.obstacle = "“U-1” is in the place of the session's directory."
            ($0.chunkBytes, $0.trashBytes) = (0, 12)
        }
        var session = WatchedSession(Session.upload())
        session.progress = UploadProgress(isRestoring: true).json
        #expect(await session.check(reconciler(store)))
        #expect(store.seen.log == ["restore", "inspect"] && store.seen.trashBytes == 12)
        #expect(session.last?.reason == "CHUNKS_MISSING" && session.last?.error?.contains("“U-1”") == true)
        #expect(UploadProgress(json: session.progress).isRestoring)
        // Moved away, and the chunks come back; else it ends as any other.
        var other = session
        store.change { $0.inventory = Session.holed }
        #expect(await other.check(reconciler(store)))
        #expect(store.seen.trashBytes == 0 && !UploadProgress(json: other.progress).mayBePutAway)
        store.change {
            $0.inventory = Session.empty
            $0.inventory.obstacle = "again"
        }
        var count = 0
        while session.upload.status == "receiving", count < 1_000, await session.check(reconciler(store)) { count += 1 }
        #expect(session.upload.status == "expired")
    }

    @Test func anApplicationThatCancelsHasItsChunksTakenAway() async throws {
        let store = MemoryStore()
        var session = WatchedSession(Session.upload(status: "expired"))
        while await session.check(reconciler(store)) {}
        #expect(store.seen.log == ["inspect", "prove", "discard", "purge"])
        #expect(session.reclaimedBytes == 12)
    }

    @Test func aCompletionByTheApplicationIsProvedBeforeAnythingGoes() async throws {
        let store = MemoryStore()
        var session = WatchedSession(Session.upload(status: "complete"))
        while await session.check(reconciler(store)) {}
        #expect(store.seen.log == ["inspect", "prove"])
        #expect(session.upload.status == "complete" && session.upload.reviewReason == "TARGET_MISSING")
        #expect(store.seen.chunkBytes == 12)
        store.change { $0.hasTarget = true }
        session.dueAt = session.now
        while await session.check(reconciler(store)) {}
        #expect(store.seen.log == ["inspect", "prove", "inspect", "prove", "reclaim"])
        #expect(session.upload.reviewReason == nil && session.reclaimedBytes == 12)
    }

    @Test func garbageInTheProgressOnlyTakesLonger() async throws {
        for garbage in ["[]", "7", "nonsense", #"{"state":{"at":[]},"reclaim_at":5,"seen":true,"x":{}}"#] {
            let store = MemoryStore()
            var session = WatchedSession(Session.upload())
            session.progress = garbage
            while await session.check(reconciler(store)) {}
            #expect(session.upload.status == "complete" && session.reclaimedBytes == 12)
        }
    }

    // MARK: faults

    @Test func faultsSpeakForTheLaneOrTheRow() async {
        let store = MemoryStore { $0.fault = StoreFault(.unavailable(retryAfter: .seconds(3)), "away") }
        var session = WatchedSession(Session.upload())
        #expect(await session.check(reconciler(store)))
        #expect(session.last?.verdict == .failed && session.last?.laneSignal == .failed(retryAfter: .seconds(3)))
        store.change { $0.fault = StoreFault(.misconfigured, "read-only") }
        #expect(await session.check(reconciler(store)))
        #expect(session.last?.next == .handBack && session.last?.laneSignal == .misconfigured("read-only"))
        store.change { $0.fault = StoreFault(.invalid(reason: "INVALID_NAME"), "leads out") }
        #expect(await session.check(reconciler(store)))
        #expect(session.upload.reviewReason == "INVALID_NAME" && session.dueAt == nil)
        store.change { $0.fault = nil }
        // The store's reason is ours too: nudged, it is tried again.
        session.dueAt = session.now
        while await session.check(reconciler(store)) {}
        #expect(session.upload.status == "complete")
    }

    /// Where nothing but the schedule is written there is no change, for whoever waits for changes.
    @Test func aCheckThatWaitsChangesNothing() async {
        var waiting = WatchedSession(Session.upload(status: "complete"))
        waiting.progress = UploadProgress(reclaimAt: Session.now + .seconds(600)).json
        #expect(await waiting.check(reconciler(MemoryStore())))
        #expect(waiting.last?.reason == "KEPT" && waiting.last?.change == nil)
        let away = MemoryStore { $0.fault = StoreFault(.unavailable(retryAfter: nil), "away") }
        var failing = WatchedSession(Session.upload())
        #expect(await failing.check(reconciler(away)))
        #expect(failing.last?.verdict == .failed && failing.last?.change == nil)
    }

    @Test func anUploadOfAnUnknownStoreIsHandedBack() async {
        var upload = Session.upload()
        upload.store = "elsewhere"
        var session = WatchedSession(upload)
        #expect(await session.check(reconciler(MemoryStore())))
        #expect(session.last?.next == .handBack)
        guard case .misconfigured = session.last?.laneSignal else { Issue.record("the lane does not know"); return }
    }

    // MARK: dry run

    @Test func aDryRunTouchesNothing() async throws {
        var policy = Session.policy
        policy.isDryRun = true
        for status in ["receiving", "merging", "complete", "expired", "review"] {
            let store = MemoryStore()
            var session = WatchedSession(
                Session.upload(status: status, reviewReason: status == "review" ? "POISON" : nil))
            for _ in 0..<5 { #expect(await session.check(reconciler(store, policy))) }
            #expect(store.seen.log.allSatisfy { $0 == "inspect" || $0 == "prove" }, "\(status): \(store.seen.log)")
            #expect(session.statuses == [status] && session.last?.change?.status == nil && session.dueAt != nil)
            #expect(session.last?.reason == "dry_run")
            #expect(try answer(session)["would"] != nil, "\(status)")
            // Once it ends, all goes on.
            while await session.check(reconciler(store)) {}
            #expect(["complete", "expired"].contains(session.upload.status) || session.upload.reviewReason != nil)
        }
    }

    @Test func aCheckThatIsOnlyShownTouchesNothing() async throws {
        let store = MemoryStore()
        var session = WatchedSession(Session.upload(status: "merging"))
        #expect(await session.check(reconciler(store), isDryRun: true))
        #expect(store.seen.log == ["inspect"])
        #expect(try answer(session)["would"]?["action"]?.string == "merge")
    }

    // MARK: refused, poisoned

    @Test func whatTheDatabaseRefusesBacksOff() async {
        let claim = Session.claim(Session.upload(status: "merging"), progress: #"{"merged_bytes":5}"#)
        let conclusion = Conclusion(
            Session.play(claim.row, .merge(.published(Session.publication))).decision!, answer: "{}")
        let refusal = Refusal(code: "23514", constraint: "own_check", message: "violates check constraint")
        let instead = reconciler(MemoryStore()).refused(claim, conclusion, by: refusal)
        #expect(instead.verdict == .failed && instead.next == .backoff && instead.change == nil)
        #expect(UploadProgress(json: instead.progress).reclaimAt == nil)
        #expect(instead.error?.contains("own_check") == true)
        let review = Session.claim(
            Session.upload(status: "review", reviewReason: "POISON"), failureCount: UploadRules.reviewFailureCountMax)
        #expect(reconciler(MemoryStore()).refused(review, conclusion, by: refusal).next == .rest)
    }

    /// The file is published by then, and only the store's note shows whose it is.
    @Test(arguments: [true, false]) func whatTheStoreNotedOutlivesARefusal(leavesNothing: Bool) async throws {
        var publication = Session.publication
        publication.leavesNothing = leavesNothing
        let outcome = MergeOutcome.published(publication)
        let store = MemoryStore {
            $0.checkpoints = [5]
            $0.merges = [outcome]
        }
        var session = WatchedSession(Session.upload(status: "merging"))
        session.progress = UploadProgress(mergedBytes: 2, restarts: 3).json
        let claim = Session.claim(session.upload, progress: session.progress)
        #expect(await session.check(reconciler(store)))
        let conclusion = try #require(session.last)
        #expect(conclusion.change?.status == "complete")
        let refusal = Refusal(code: "23514", constraint: "own_check", message: "violates check constraint")
        let instead = reconciler(store).refused(claim, conclusion, by: refusal)
        let kept = UploadProgress(json: instead.progress)
        #expect(kept.state == .object([.init("at", .number("5"))]) && kept.mergedBytes == 12 && kept.restarts == 3)
        #expect(kept.reclaimAt == nil && instead.change == nil)
    }

    @Test func aPoisonedUploadIsReviewedAndKeepsWhatWasDecided() throws {
        let reconciler = reconciler(MemoryStore())
        for (status, after) in [
            ("receiving", "review"), ("merging", "review"), ("complete", "complete"), ("expired", "expired"),
        ] {
            let claim = Session.claim(Session.upload(status: status), progress: #"{"merged_bytes":5}"#, claimCount: 6)
            let conclusion = reconciler.poisoned(claim)
            #expect(conclusion.verdict == .review && conclusion.next == .rest)
            #expect(conclusion.change?.status == after && conclusion.change?.reviewReason == "POISON")
            // Nudged, a merge goes on where it was.
            #expect(conclusion.progress == claim.progress)
        }
        for status in ["review", "archived"] {
            #expect(reconciler.poisoned(Session.claim(Session.upload(status: status))).change == nil)
        }
        var policy = Session.policy
        policy.isDryRun = true
        let dry = self.reconciler(MemoryStore(), policy).poisoned(Session.claim(Session.upload()))
        #expect(dry.change == nil && dry.next == .cadence && dry.reason == "dry_run")
        let answer = try JSONValue(parsing: try #require(dry.answer))
        #expect(answer["would"]?["review_reason"]?.string == "POISON")
    }
}
