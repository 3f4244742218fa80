import JSON
import Reconciling
import Testing
import Timeline

@testable import Uploads

/// What a merge, and what keeps it from being made, comes to: rows of the decision table.
@Suite struct UploadRulesMergeTests {
    private let now = Session.now
    private let late = Session.late

    // MARK: merging

    @Test func aMergeThatIsPublishedIsCompleteAndReclaimedLater() throws {
        let progress = UploadProgress(mergedBytes: 5, state: Session.detail, spaceWaits: 3, restarts: 2)
        let outcome = Session.play(
            Session.upload(status: "merging"), .merge(.published(Session.publication)), progress: progress)
        #expect(outcome.actions == [.merge])
        let decision = try #require(outcome.decision)
        #expect(decision.verdict == .settled && decision.next == .after(.seconds(600)))
        let change = try #require(decision.change)
        #expect(change.status == "complete" && change.mergedBytes == 12)
        #expect(change.location == "/t/a.bin" && change.etag == "abc")
        #expect(change.receivedChunks == 3 && change.missing == "")
        #expect(change.reclaimedBytes == nil)
        #expect(decision.progress == UploadProgress(state: Session.detail, reclaimAt: now + .seconds(600)))
    }

    @Test func whatLeavesNothingIsAtRestAtOnce() {
        var publication = Session.publication
        publication.leavesNothing = true
        let decision = Session.play(Session.upload(status: "merging"), .merge(.published(publication))).decision
        #expect(decision?.next == .rest)
        #expect(decision?.change?.reclaimedBytes == 0)
        #expect(decision?.progress == UploadProgress())
    }

    @Test(
        arguments: [
            (.targetExists(Session.detail), "TARGET_EXISTS"), (.digestMismatch(Session.detail), "DIGEST_MISMATCH"),
            (.sizeMismatch(Session.detail), "SIZE_MISMATCH"),
            (.fault(StoreFault(.invalid(reason: "INVALID_NAME"), "no")), "INVALID_NAME"),
            (.published(Publication(location: "/t", etag: nil, bytes: 11)), "SIZE_MISMATCH"),
        ] as [(MergeOutcome, String)])
    func whatIsWrongGoesToAHuman(outcome: MergeOutcome, reason: String) throws {
        let decision = try #require(Session.play(Session.upload(status: "merging"), .merge(outcome)).decision)
        #expect(decision.verdict == .review && decision.next == .rest)
        #expect(decision.change?.status == "review" && decision.change?.reviewReason == reason)
        #expect(decision.change?.reclaimedBytes == nil)
        #expect(decision.progress.reviewed == reason)
        let detail = try JSONValue(parsing: try #require(decision.change?.reviewDetail))
        #expect(detail["status_before"]?.string == "merging")
        #expect(detail["found"]?.isNull == false)
    }

    @Test func chunksThatChangedAreAwaitedAndEverLonger() throws {
        let progress = UploadProgress(mergedBytes: 5, state: Session.detail)
        let decision = try #require(
            Session.play(Session.upload(status: "merging"), .merge(.chunksChanged), progress: progress).decision)
        #expect(decision.change?.status == "receiving" && decision.change?.mergedBytes == 0)
        #expect(decision.change?.lastActivityAt == now)
        #expect(decision.next == .after(.seconds(5)))
        // Whoever published meanwhile is known by the note alone.
        #expect(decision.progress == UploadProgress(state: Session.detail, restarts: 1))
        // The count outlives the way through `receiving`.
        let whole = Session.play(Session.upload(), .inventory(Session.whole), progress: .init(restarts: 9))
        let again = Session.play(
            Session.upload(status: "merging"), .merge(.chunksChanged),
            progress: try #require(whole.decision).progress)
        #expect(again.decision?.next == .after(.seconds(512)))
    }

    @Test func withoutSpaceItWaitsEverLongerAndTheLaneIsNotToBlame() throws {
        var progress = UploadProgress(mergedBytes: 5, state: Session.detail)
        for seconds in [1, 2, 4, 8] {
            let outcome = MergeOutcome.noSpace(neededBytes: 12, freeBytes: 3)
            let decision = try #require(
                Session.play(Session.upload(status: "merging"), .merge(outcome), progress: progress).decision)
            #expect(decision.verdict == .recheck && decision.next == .after(.seconds(seconds)))
            #expect(decision.reason == "NO_SPACE" && decision.laneSignal == .answered)
            #expect(decision.error == "Not enough space: 12 bytes are needed, 3 are free.")
            #expect(decision.change == nil)
            progress = decision.progress
            #expect(progress.mergedBytes == 5 && progress.state == Session.detail)
        }
        let long = UploadProgress(spaceWaits: 900)
        let outcome = Session.play(
            Session.upload(status: "merging"), .merge(.noSpace(neededBytes: 1, freeBytes: 0)), progress: long)
        #expect(outcome.decision?.next == .after(.seconds(600)))
    }

    @Test func anInterruptedMergeIsHandedBack() {
        let decision = Session.play(Session.upload(status: "merging"), .merge(.interrupted)).decision
        #expect(decision?.next == .handBack && decision?.laneSignal == .silent && decision?.change == nil)
    }

    // MARK: made by someone else

    @Test func aSessionThatIsGoneOrATargetWithoutChunksIsProvedOnce() throws {
        var there = Session.empty
        there.targetBytes = 12
        for inventory in [Session.gone, there] {
            let complete = Session.play(
                Session.upload(), .inventory(inventory), .proof(.complete(Session.publication)))
            #expect(complete.actions == [.inspect, .prove] && complete.status == "complete")
            for proof in [CompletionProof.incomplete, .undecided(Session.detail)] {
                let waiting = Session.play(Session.upload(), .inventory(inventory), .proof(proof))
                let decision = try #require(waiting.decision)
                #expect(decision.verdict == .recheck && decision.change?.status == "receiving")
                let again = Session.play(Session.upload(), .inventory(inventory), progress: decision.progress)
                #expect(again.actions == [.inspect])
            }
        }
        there.targetBytes = 11
        #expect(Session.play(Session.upload(), .inventory(there)).actions == [.inspect])
    }

    // MARK: faults

    @Test(arguments: ["receiving", "merging", "complete", "expired", "review"])
    func aFaultOfTheStoreDecidesNothing(status: String) {
        let upload = Session.upload(status: status, reviewReason: status == "review" ? "POISON" : nil)
        let progress = UploadProgress(mergedBytes: 5, state: Session.detail, reviewed: "POISON")
        func after(_ kind: StoreFault.Kind) -> UploadDecision? {
            Session.play(upload, .fault(StoreFault(kind, "why")), progress: progress).decision
        }
        let away = after(.unavailable(retryAfter: .seconds(7)))
        #expect(away?.verdict == .failed && away?.next == .backoff && away?.change == nil)
        #expect(away?.laneSignal == .failed(retryAfter: .seconds(7)) && away?.error == "why")
        #expect(away?.progress == progress)
        let unreadable = after(.unreadable)
        #expect(unreadable?.verdict == .failed && unreadable?.next == .backoff)
        #expect(unreadable?.laneSignal == .answered && unreadable?.change == nil)
        let wrong = after(.misconfigured)
        #expect(wrong?.next == .handBack && wrong?.laneSignal == .misconfigured("why") && wrong?.change == nil)
        #expect(after(.interrupted)?.next == .handBack)
        #expect(after(.interrupted)?.laneSignal == .silent)
        let invalid = after(.invalid(reason: "INVALID_NAME"))
        #expect(invalid?.verdict == .review && invalid?.next == .rest)
        #expect(invalid?.change?.reviewReason == "INVALID_NAME")
        // What was decided stays decided.
        let isDecided = status == "complete" || status == "expired"
        #expect(invalid?.change?.status == (isDecided ? status : "review"))
        #expect(invalid?.change?.reclaimedBytes == nil)
    }

    @Test func numbersThatDoNotFitGoToAHumanUnasked() {
        for status in ["receiving", "merging", "complete", "expired"] {
            let outcome = Session.play(Session.upload(status: status, chunkCount: 9))
            #expect(outcome.actions.isEmpty)
            #expect(outcome.decision?.change?.reviewReason == "INVALID_SESSION")
            #expect(outcome.decision?.laneSignal == .silent)
            #expect(outcome.status == (["complete", "expired"].contains(status) ? status : "review"))
        }
    }

    /// Nothing that a person could do would let it be reclaimed: once one has ended it, it rests.
    @Test func whatCannotBeServedRestsWhenAPersonHasEndedIt() throws {
        let unnamed = UploadFinding.fault(StoreFault(.invalid(reason: "NO_UPLOAD_ID"), "why"))
        let misnamed = UploadFinding.fault(StoreFault(.invalid(reason: "INVALID_NAME"), "why"))
        for status in ["expired", "complete"] {
            let resolved = UploadProgress(isResolved: true)
            let upload = Session.upload(status: status)
            // Where chunks may lie in the store, the name is not free for another session, which would find them.
            for (outcome, bytes) in [
                (Session.play(upload, unnamed, progress: resolved), 0),
                (Session.play(upload, misnamed, progress: resolved), nil),
                (Session.play(Session.upload(status: status, chunkCount: 9), progress: resolved), nil),
            ] as [(Session.Outcome, Int64?)] {
                let decision = try #require(outcome.decision)
                #expect(decision.verdict == .settled && decision.next == .rest && decision.reason == "NOT_RECLAIMED")
                #expect(decision.change == UploadChange(status: status, reclaimedBytes: bytes))
            }
            // An application's word is looked into, and what the store has in the way may be moved out of it.
            #expect(Session.play(upload, unnamed).decision?.change?.reviewReason == "NO_UPLOAD_ID")
            let occupied = UploadFinding.fault(StoreFault(.invalid(reason: "TARGET_EXISTS"), "why"))
            #expect(
                Session.play(upload, occupied, progress: resolved).decision?.change?.reviewReason == "TARGET_EXISTS")
        }
        // Nothing ends but what was ended.
        let open = Session.play(Session.upload(), unnamed, progress: UploadProgress(isResolved: true))
        #expect(open.status == "review")
    }

    // MARK: dry run

    private var dry: UploadPolicy {
        var policy = Session.policy
        policy.isDryRun = true
        return policy
    }

    @Test func aDryRunWritesNoStatusAndSaysWhatItWould() throws {
        let whole = try #require(Session.play(Session.upload(), .inventory(Session.whole), policy: dry).decision)
        #expect(whole.change == nil && whole.verdict == .recheck && whole.next == .cadence)
        #expect(whole.reason == "dry_run" && whole.would?.status == "merging")
        let over = Session.play(
            Session.upload(), .inventory(Session.holed), .proof(.incomplete), policy: dry, at: late)
        #expect(over.decision?.change == nil && over.decision?.would?.status == "expired")
        #expect(over.decision?.progress.isIncomplete == false)
        let merging = Session.play(Session.upload(status: "merging"), .inventory(Session.whole), policy: dry)
        #expect(merging.actions == [.inspect] && merging.decision?.would?.action == .merge)
        let due = UploadProgress(reclaimAt: now, isIncomplete: true)
        let complete = Session.play(Session.upload(status: "complete"), policy: dry, progress: due)
        #expect(complete.actions.isEmpty && complete.decision?.would?.action == .reclaim)
        #expect(complete.decision?.next == .cadence && complete.decision?.progress == due)
        #expect(complete.decision?.laneSignal == .silent)
        let expired = Session.play(Session.upload(status: "expired"), policy: dry, progress: .init(isIncomplete: true))
        #expect(expired.decision?.would?.action == .discard)
        // What would not have changed is no "would", and the row still waits as it did.
        let holed = Session.play(Session.upload(), .inventory(Session.holed), policy: dry)
        #expect(holed.decision?.would == nil && holed.decision?.change == nil)
        #expect(holed.decision?.progress.seen != nil)
    }

    @Test func aCheckByHandThatOnlyShowsDoesNothingEither() {
        let whole = Session.play(Session.upload(), .inventory(Session.whole), isDryRun: true)
        #expect(whole.status == "merging")
        let merging = Session.play(Session.upload(status: "merging"), .inventory(Session.whole), isDryRun: true)
        #expect(merging.actions == [.inspect] && merging.decision?.would?.action == .merge)
    }
}
