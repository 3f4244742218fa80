import Reconciling
import Testing
import Timeline

@testable import Uploads

/// How a session ends, and what a person has to do with it: rows of the decision table.
@Suite struct UploadRulesEndTests {
    private let created = Session.created
    private let now = Session.now
    private let late = Session.late

    // MARK: expiry

    @Test func idleItExpiresOnlyWithProofThatItIsNotComplete() throws {
        let asked = Session.play(Session.upload(), .inventory(Session.holed), at: late)
        #expect(asked.actions == [.inspect, .prove] && asked.decision == nil)
        let decision = try #require(
            Session.play(Session.upload(), .inventory(Session.holed), .proof(.incomplete), at: late).decision)
        #expect(decision.verdict == .settled && decision.next == .after(.zero))
        #expect(decision.change?.status == "expired" && decision.change?.missing == "1")
        #expect(decision.change?.reclaimedBytes == nil)
        #expect(decision.progress == UploadProgress(isIncomplete: true))
    }

    @Test func idleButCompleteAfterAllItIsComplete() {
        let outcome = Session.play(
            Session.upload(), .inventory(Session.gone), .proof(.complete(Session.publication)), at: late)
        #expect(outcome.status == "complete")
        #expect(outcome.decision?.reason == "FOUND_COMPLETE")
        #expect(outcome.decision?.progress.reclaimAt == late + .seconds(600))
    }

    /// Somebody else's file has the name: that is for whoever merges, not for whoever gives up.
    @Test func whatIsSurelyAnotherFileKeepsNothingFromExpiring() {
        let different = CompletionProof.different(reason: "DIGEST_MISMATCH", Session.detail)
        let outcome = Session.play(Session.upload(), .inventory(Session.holed), .proof(different), at: late)
        #expect(outcome.status == "expired" && outcome.decision?.change?.reviewReason == nil)
        let cancelled = Session.play(Session.upload(status: "expired"), .inventory(Session.holed), .proof(different))
        #expect(cancelled.actions == [.inspect, .prove] && cancelled.decision?.progress.isIncomplete == true)
    }

    @Test func idleAndUndecidedItGoesToAHuman() {
        let outcome = Session.play(
            Session.upload(), .inventory(Session.holed), .proof(.undecided(Session.detail)), at: late)
        #expect(outcome.status == "review" && outcome.decision?.change?.reviewReason == "TARGET_EXISTS")
        // A store that calls something shorter complete is not believed.
        var short = Session.publication
        short.bytes = 11
        let lied = Session.play(Session.upload(), .inventory(Session.holed), .proof(.complete(short)), at: late)
        #expect(lied.status == "review" && lied.decision?.change?.reviewReason == "TARGET_EXISTS")
    }

    @Test func aStoreThatCannotSayDoesNotLetItExpire() {
        let fault = StoreFault(.unavailable(retryAfter: nil), "away")
        let outcome = Session.play(Session.upload(), .inventory(Session.holed), .fault(fault), at: late)
        #expect(outcome.decision?.verdict == .failed && outcome.decision?.change == nil)
    }

    @Test func expiredChunksGoToTheTrashAndThenForGood() throws {
        let upload = Session.upload(status: "expired")
        let first = Session.play(
            upload, .discarded(Discarded(bytes: 10, isKept: true)), progress: .init(isIncomplete: true))
        #expect(first.actions == [.discard])
        let discarded = try #require(first.decision)
        #expect(discarded.next == .after(.seconds(600)) && discarded.change?.reclaimedBytes == nil)
        #expect(discarded.progress.trash == .init(bytes: 10, until: now + .seconds(600)))
        // Nudged before its time.
        let early = Session.play(upload, progress: discarded.progress, at: now + .seconds(599))
        #expect(early.actions.isEmpty)
        #expect(early.decision?.next == .after(.seconds(1)) && early.decision?.progress == discarded.progress)
        let then = Session.play(upload, .purged(10), progress: discarded.progress, at: now + .seconds(600))
        #expect(then.actions == [.purge])
        #expect(then.decision?.next == .rest && then.decision?.change?.reclaimedBytes == 10)
        #expect(then.status == "expired" && then.decision?.progress == UploadProgress())
        // A purge whose answer was lost finds nothing any more.
        let again = Session.play(upload, .purged(0), progress: discarded.progress, at: now + .seconds(600))
        #expect(again.decision?.change?.reclaimedBytes == 10)
    }

    /// It knows that it is complete after all: nudged, that is asked anew, not the same thing once more.
    @Test func whatAStoreDoesNotGiveUpIsProvedAnew() throws {
        let upload = Session.upload(status: "expired")
        let fault = UploadFinding.fault(StoreFault(.invalid(reason: "TARGET_EXISTS"), "it is complete"))
        let kept = try #require(Session.play(upload, fault, progress: .init(isIncomplete: true)).decision)
        #expect(kept.change?.reviewReason == "TARGET_EXISTS" && kept.progress.mayBePutAway)
        #expect(Session.play(upload, progress: kept.progress).actions == [.inspect])
    }

    @Test func whatIsNotKeptIsReclaimedAtOnce() {
        let outcome = Session.play(
            Session.upload(status: "expired"), .discarded(Discarded(bytes: 7, isKept: false)),
            progress: .init(isIncomplete: true))
        #expect(outcome.decision?.next == .rest && outcome.decision?.change?.reclaimedBytes == 7)
    }

    @Test func anExpiryThatSomeoneElseWroteIsLookedIntoFirst() throws {
        let upload = Session.upload(status: "expired")
        for proof in [CompletionProof.incomplete, .undecided(Session.detail)] {
            let outcome = Session.play(upload, .inventory(Session.whole), .proof(proof))
            #expect(outcome.actions == [.inspect, .prove] && outcome.status == "expired")
            // It is noted before anything moves: whoever dies then leaves chunks that are known to be in the trash.
            let noted = try #require(outcome.decision)
            #expect(noted.next == .after(.zero) && noted.progress.isIncomplete && noted.progress.mayBePutAway)
            #expect(Session.play(upload, progress: noted.progress).actions == [.discard])
            #expect(Session.play(Session.upload(), progress: noted.progress).actions == [.restore])
            let shown = Session.play(upload, .inventory(Session.whole), .proof(proof), isDryRun: true)
            #expect(shown.decision?.would?.action == .discard && shown.decision?.next == .cadence)
        }
        let complete = Session.play(
            upload, .inventory(Session.whole), .proof(.complete(Session.publication)), .reclaimed(10))
        #expect(complete.actions == [.inspect, .prove, .reclaim])
        #expect(complete.status == "expired" && complete.decision?.next == .rest)
    }

    /// A person set it back, or the application did: what had been put away comes first, once.
    @Test func whatGoesOnAfterAllHasItsChunksBroughtBack() throws {
        let trash = UploadProgress.Trash(bytes: 10, until: now + .seconds(600))
        for progress in [
            UploadProgress(isRestoring: true), UploadProgress(trash: trash), UploadProgress(isIncomplete: true),
        ] {
            let outcome = Session.play(Session.upload(), .restored(10), .inventory(Session.holed), progress: progress)
            #expect(outcome.actions == [.restore, .inspect])
            let noted = try #require(outcome.decision).progress
            #expect(!noted.mayBePutAway && noted.seen != nil)
            #expect(Session.play(Session.upload(), .inventory(Session.holed), progress: noted).actions == [.inspect])
            // It is not forgotten while it could not be done.
            let fault = UploadFinding.fault(StoreFault(.unavailable(retryAfter: nil), "away"))
            let failed = Session.play(Session.upload(), fault, progress: progress)
            #expect(failed.decision?.verdict == .failed && failed.decision?.progress == progress)
            let shown = Session.play(Session.upload(), progress: progress, isDryRun: true)
            #expect(shown.actions.isEmpty && shown.decision?.would?.action == .restore)
            #expect(shown.decision?.progress == progress)
        }
        for status in ["merging", "review"] {
            let upload = Session.upload(status: status, reviewReason: "POISON")
            #expect(Session.play(upload, progress: UploadProgress(isRestoring: true)).actions.first != .restore)
        }
    }

    /// Whoever wrote another status first, and `receiving` later: it is not forgotten on the way.
    @Test func whatIsPutAwayIsRememberedThroughOtherStatuses() throws {
        let trash = UploadProgress.Trash(bytes: 10, until: now + .seconds(600))
        for progress in [UploadProgress(isRestoring: true), UploadProgress(isIncomplete: true, trash: trash)] {
            let review = Session.upload(status: "review", reviewReason: "POISON")
            let merging = Session.upload(status: "merging")
            for outcome in [
                Session.play(review, .inventory(Session.holed), .proof(.incomplete), progress: progress),
                Session.play(review, .inventory(Session.whole), .merge(.chunksChanged), progress: progress),
                Session.play(merging, .merge(.chunksChanged), progress: progress),
                Session.play(merging, .merge(.targetExists(Session.detail)), progress: progress),
            ] {
                let noted = try #require(outcome.decision).progress
                #expect(noted.isRestoring && UploadProgress(json: noted.json) == noted)
                #expect(Session.play(Session.upload(), progress: noted).actions == [.restore])
            }
            // It is over: what is in the trash goes with the rest.
            let published = Session.play(merging, .merge(.published(Session.publication)), progress: progress)
            #expect(published.decision?.progress.mayBePutAway == false)
        }
        let again = Session.play(
            Session.upload(status: "expired"), .inventory(Session.holed), .proof(.incomplete),
            progress: UploadProgress(isRestoring: true))
        #expect(again.decision?.progress == UploadProgress(isIncomplete: true))
    }

    // MARK: complete

    @Test func aCompleteUploadIsReclaimedWhenItsTimeHasCome() {
        let upload = Session.upload(status: "complete")
        let progress = UploadProgress(state: Session.detail, reclaimAt: now + .seconds(10))
        let early = Session.play(upload, progress: progress)
        #expect(early.actions.isEmpty)
        #expect(early.decision?.next == .after(.seconds(10)) && early.decision?.progress == progress)
        #expect(early.decision?.change == nil && early.decision?.laneSignal == .silent)
        let then = Session.play(upload, .reclaimed(12), progress: progress, at: now + .seconds(10))
        #expect(then.actions == [.reclaim])
        #expect(then.status == "complete" && then.decision?.change?.reclaimedBytes == 12)
        #expect(then.decision?.next == .rest && then.decision?.progress == UploadProgress())
    }

    @Test func aCompletionThatSomeoneElseWroteIsProvedFirst() {
        let upload = Session.upload(status: "complete")
        let proven = Session.play(upload, .inventory(Session.whole), .proof(.complete(Session.publication)))
        #expect(proven.actions == [.inspect, .prove])
        #expect(proven.decision?.next == .after(.seconds(600)) && proven.decision?.change?.reclaimedBytes == nil)
        #expect(proven.decision?.progress.reclaimAt == now + .seconds(600))
        for (proof, reason) in [
            (CompletionProof.incomplete, "TARGET_MISSING"), (.undecided(Session.detail), "TARGET_EXISTS"),
            (.different(reason: "SIZE_MISMATCH", Session.detail), "SIZE_MISMATCH"),
        ] {
            let outcome = Session.play(upload, .inventory(Session.whole), .proof(proof))
            #expect(outcome.actions == [.inspect, .prove])
            #expect(outcome.decision?.verdict == .review && outcome.decision?.next == .rest)
            #expect(outcome.status == "complete" && outcome.decision?.change?.reviewReason == reason)
            #expect(outcome.decision?.change?.reclaimedBytes == nil)
        }
        // Nudged once the file is there, it is right again.
        let nudged = Session.upload(status: "complete", reviewReason: "TARGET_MISSING")
        let right = Session.play(nudged, .inventory(Session.gone), .proof(.complete(Session.publication)))
        #expect(right.decision?.change?.reviewReason == nil && right.decision?.progress.reclaimAt != nil)
    }

    /// Its last look saw less: what came since is as old as the look that follows, or nobody would reclaim it.
    @Test func whatCameBeforeSomeoneElseCompletedItIsActivityOfTheSession() {
        let upload = Session.upload(status: "complete", received: 1, lastActivityAt: created)
        let before = UploadProgress(seen: .init(fingerprint: "one", since: created))
        let outcome = Session.play(
            upload, .inventory(Session.whole), .proof(.complete(Session.publication)), progress: before)
        #expect(outcome.decision?.change?.lastActivityAt == now)
    }

    @Test func whatIsReclaimedOrForeignIsPutToRestUnasked() {
        for status in ["complete", "expired"] {
            let outcome = Session.play(Session.upload(status: status, reclaimedAt: now))
            #expect(outcome.actions.isEmpty && outcome.decision?.next == .rest && outcome.decision?.change == nil)
        }
        let foreign = Session.play(Session.upload(status: "archived"))
        #expect(foreign.actions.isEmpty && foreign.decision?.next == .rest)
        #expect(foreign.decision?.reason == "FOREIGN_STATUS" && foreign.decision?.laneSignal == .silent)
    }

    // MARK: review

    @Test(arguments: ["POISON", "TARGET_EXISTS", "DIGEST_MISMATCH", "SIZE_MISMATCH", "INVALID_SESSION"])
    func aNudgedReviewThatIsRightNowIsComplete(reason: String) {
        let upload = Session.upload(status: "review", reviewReason: reason)
        let merged = Session.play(upload, .inventory(Session.whole), .merge(.published(Session.publication)))
        #expect(merged.actions == [.inspect, .merge])
        #expect(merged.status == "complete" && merged.decision?.change?.reviewReason == nil)
        let proven = Session.play(upload, .inventory(Session.holed), .proof(.complete(Session.publication)))
        #expect(proven.status == "complete")
    }

    @Test func aNudgedReviewThatIsNotRightIsRecordedAndKept() {
        let upload = Session.upload(status: "review", reviewReason: "DIGEST_MISMATCH")
        // Long idle, and yet it does not expire.
        let missing = Session.play(upload, .inventory(Session.holed), .proof(.incomplete), at: late)
        #expect(missing.status == "review" && missing.decision?.next == .rest)
        #expect(missing.decision?.change?.reviewReason == "DIGEST_MISMATCH")
        #expect(missing.decision?.change?.missing == "1")
        let again = Session.play(upload, .inventory(Session.whole), .merge(.targetExists(Session.detail)))
        #expect(again.status == "review" && again.decision?.change?.reviewReason == "TARGET_EXISTS")
        var busy = Session.whole
        busy.quietFor = .seconds(1)
        let unquiet = Session.play(upload, .inventory(busy))
        #expect(unquiet.decision?.next == .after(.seconds(4) + UploadRules.margin))
        #expect(unquiet.status == "review" && unquiet.decision?.change?.reviewReason == "DIGEST_MISMATCH")
        let changed = Session.play(upload, .inventory(Session.whole), .merge(.chunksChanged))
        #expect(changed.decision?.change == nil && changed.decision?.next == .after(.seconds(5)))
    }

    @Test func aReviewThatSomeoneElseGaveIsTheirs() {
        for reason in [nil, "MANUAL", "VIRUS"] {
            let outcome = Session.play(Session.upload(status: "review", reviewReason: reason))
            #expect(outcome.actions.isEmpty && outcome.decision?.next == .rest && outcome.decision?.change == nil)
        }
        // One that the store gave is ours, and the progress remembers it.
        let ours = Session.play(
            Session.upload(status: "review", reviewReason: "INVALID_NAME"), progress: .init(reviewed: "INVALID_NAME"))
        #expect(ours.actions == [.inspect])
    }

    @Test func aReviewIsNotTriedForEver() {
        let upload = Session.upload(status: "review", reviewReason: "POISON")
        let fault = UploadFinding.fault(StoreFault(.unreadable, "garbage"))
        #expect(Session.play(upload, fault, failureCount: 19).decision?.next == .backoff)
        #expect(Session.play(upload, fault, failureCount: 20).decision?.next == .rest)
        #expect(Session.play(Session.upload(), fault, failureCount: 99).decision?.next == .backoff)
    }
}
