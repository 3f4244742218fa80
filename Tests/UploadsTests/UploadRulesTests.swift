import JSON
import Reconciling
import Testing
import Timeline

@testable import Uploads

/// Every row of the decision table, as a script of findings.
@Suite struct UploadRulesTests {
    private let created = Session.created
    private let now = Session.now

    // MARK: chunks missing

    @Test func aHoleIsNamedSoThatTheClientCanResume() throws {
        let outcome = Session.play(Session.upload(), .inventory(Session.holed))
        #expect(outcome.actions == [.inspect])
        let decision = try #require(outcome.decision)
        #expect(decision.verdict == .recheck)
        #expect(decision.next == .cadence)
        #expect(decision.reason == "CHUNKS_MISSING")
        let change = try #require(decision.change)
        #expect(change.status == "receiving")
        #expect(change.receivedChunks == 2 && change.missing == "1")
        #expect(change.lastActivityAt == created)
        #expect(change.reviewReason == nil && change.reviewDetail == nil)
        #expect(decision.progress.seen == .init(fingerprint: "holed", since: now))
        #expect(decision.cadenceAnchor == created)
        #expect(decision.laneSignal == .answered)
    }

    @Test func oddChunksAreNamedWithoutAReview() throws {
        var inventory = Session.holed
        inventory.oddities = [
            .init(number: 1, kind: .short, bytes: 3), .init(number: 9, kind: .extra),
            .init(number: 2, kind: .duplicate),
        ]
        let decision = try #require(Session.play(Session.upload(), .inventory(inventory)).decision)
        #expect(decision.change?.reviewReason == nil)
        let detail = try JSONValue(parsing: try #require(decision.change?.reviewDetail))
        #expect(detail["oddities"]?[0]?["kind"]?.string == "short")
        #expect(detail["oddities"]?[0]?["bytes"]?.integer == 3)
        #expect(detail["missing"]?.string == "1")
    }

    @Test func theDetailIsBoundedHoweverMuchIsWrong() throws {
        var inventory = Session.holed
        inventory.missing = ChunkRanges(stride(from: 0, to: 100_000, by: 2))
        inventory.oddities = (0..<50_000).map { .init(number: $0, kind: .short, bytes: 1) }
        let decision = try #require(Session.play(Session.upload(), .inventory(inventory)).decision)
        let text = try #require(decision.change?.reviewDetail)
        #expect(text.utf8.count < 2_000)
        let detail = try JSONValue(parsing: text)
        #expect(detail["oddity_count"]?.integer == 50_000)
        #expect(detail["missing"]?.string?.hasPrefix("0,2,4,") == true)
        #expect(detail["missing"]?.string?.hasSuffix(",…") == true)
    }

    @Test func pastItsTimeButNotIdleItWaits() {
        let activity = now + .seconds(7_000)
        var inventory = Session.holed
        inventory.lastActivityAt = activity
        let late = activity + .seconds(3_599)
        let upload = Session.upload(expiresAt: now)
        let outcome = Session.play(upload, .inventory(inventory), at: late)
        #expect(outcome.actions == [.inspect])
        #expect(outcome.decision?.reason == "CHUNKS_MISSING")
        #expect(Session.play(upload, .inventory(inventory), at: late + .seconds(1)).actions == [.inspect, .prove])
    }

    @Test func idleButNotPastItsTimeItWaits() {
        let upload = Session.upload(expiresAt: created + .seconds(90_000))
        let idle = created + .seconds(80_000)
        #expect(Session.play(upload, .inventory(Session.holed), at: idle).actions == [.inspect])
        #expect(
            Session.play(upload, .inventory(Session.holed), at: created + .seconds(90_000)).actions
                == [.inspect, .prove])
        let never = Session.upload(expiresAt: .distantFuture)
        #expect(Session.play(never, .inventory(Session.holed), at: idle).decision?.next == .cadence)
    }

    @Test func itIsLookedAtAgainWhenItMayExpire() {
        // The cadence's step would be five minutes.
        let soon = created + .seconds(3_590)
        let decision = Session.play(Session.upload(), .inventory(Session.holed), at: soon).decision
        #expect(decision?.next == .after(.seconds(10) + UploadRules.margin))
    }

    // MARK: whole

    @Test func wholeAndQuietItIsMerged() throws {
        let outcome = Session.play(Session.upload(), .inventory(Session.whole))
        #expect(outcome.actions == [.inspect])
        let decision = try #require(outcome.decision)
        #expect(decision.verdict == .settled && decision.next == .after(.zero))
        #expect(decision.change?.status == "merging")
        #expect(decision.change?.receivedChunks == 3 && decision.change?.missing == "")
        #expect(decision.reason == "CHUNKS_WHOLE")
    }

    @Test func wholeButNotQuietItIsLookedAtAgainWhenItWillBe() throws {
        var inventory = Session.whole
        inventory.quietFor = .seconds(2)
        let decision = try #require(Session.play(Session.upload(), .inventory(inventory)).decision)
        #expect(decision.verdict == .recheck)
        #expect(decision.next == .after(.seconds(3) + UploadRules.margin))
        #expect(decision.change?.status == "receiving" && decision.change?.receivedChunks == 3)
        inventory.quietFor = .seconds(5)
        #expect(Session.play(Session.upload(), .inventory(inventory)).status == "merging")
    }

    @Test func whereTheStoresClockCannotTellTwoEqualLooksDo() throws {
        var inventory = Session.whole
        inventory.quietFor = .zero
        inventory.lastActivityAt = now + .seconds(86_400)
        let first = try #require(Session.play(Session.upload(), .inventory(inventory)).decision)
        #expect(first.next == .after(.seconds(5) + UploadRules.margin))
        let soon = Session.play(
            Session.upload(), .inventory(inventory), progress: first.progress, at: now + .seconds(4))
        #expect(soon.decision?.next == .after(.seconds(1) + UploadRules.margin))
        let then = now + .seconds(5)
        #expect(
            Session.play(Session.upload(), .inventory(inventory), progress: first.progress, at: then).status
                == "merging")
        inventory.fingerprint = "changed"
        let changed = Session.play(Session.upload(), .inventory(inventory), progress: first.progress, at: then)
        #expect(changed.status == "receiving")
        #expect(changed.decision?.progress.seen == .init(fingerprint: "changed", since: then))
    }

    /// The first look had ended when its time was noted, so no chunk can have changed unseen between the two.
    @Test func aLookCountsFromItsEndToTheNextOnesBeginning() {
        var inventory = Session.whole
        inventory.quietFor = .zero
        var rules = UploadRules(Session.upload(), policy: Session.policy)
        #expect(rules.begin(at: now) == .act(.inspect))
        guard case .conclude(let first) = rules.found(.inventory(inventory), begunAt: now, at: now + .seconds(3)) else {
            Issue.record("no decision")
            return
        }
        #expect(first.progress.seen?.since == now + .seconds(3))
        var again = UploadRules(Session.upload(), policy: Session.policy, progress: first.progress)
        _ = again.begin(at: now + .seconds(7))
        let step = again.found(.inventory(inventory), begunAt: now + .seconds(7), at: now + .seconds(9))
        guard case .conclude(let second) = step else { Issue.record("no decision"); return }
        #expect(second.change?.status == "receiving")
    }

    @Test func anEmptyFileIsWholeAtOnce() {
        var upload = Session.upload(chunkCount: 0)
        upload.totalBytes = 0
        let inventory = Inventory(received: 0, receivedBytes: 0, quietFor: .seconds(60), fingerprint: "")
        #expect(Session.play(upload, .inventory(inventory)).status == "merging")
    }

    @Test func chunksTooManyDoNotKeepAWholeUploadFromItsMerge() {
        var inventory = Session.whole
        inventory.oddities = [.init(number: 3, kind: .extra, bytes: 1)]
        #expect(Session.play(Session.upload(), .inventory(inventory)).status == "merging")
    }

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

    // MARK: expiry

    private let late = Session.created + .seconds(3_600)

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

    @Test func whatIsNotKeptIsReclaimedAtOnce() {
        let outcome = Session.play(
            Session.upload(status: "expired"), .discarded(Discarded(bytes: 7, isKept: false)),
            progress: .init(isIncomplete: true))
        #expect(outcome.decision?.next == .rest && outcome.decision?.change?.reclaimedBytes == 7)
    }

    @Test func anExpiryThatSomeoneElseWroteIsLookedIntoFirst() {
        let upload = Session.upload(status: "expired")
        for proof in [CompletionProof.incomplete, .undecided(Session.detail)] {
            let outcome = Session.play(
                upload, .inventory(Session.whole), .proof(proof), .discarded(Discarded(bytes: 10, isKept: true)))
            #expect(outcome.actions == [.inspect, .prove, .discard])
        }
        let complete = Session.play(
            upload, .inventory(Session.whole), .proof(.complete(Session.publication)), .reclaimed(10))
        #expect(complete.actions == [.inspect, .prove, .reclaim])
        #expect(complete.status == "expired" && complete.decision?.next == .rest)
    }

    // MARK: activity

    @Test func anActivityInTheFutureDoesNotPostponeForEver() throws {
        var inventory = Session.holed
        inventory.lastActivityAt = Timestamp("2100-01-01T00:00:00Z")!
        var upload = Session.upload(lastActivityAt: Timestamp("2099-01-01T00:00:00Z")!)
        upload.createdAt = Timestamp("2098-01-01T00:00:00Z")!
        let first = try #require(Session.play(upload, .inventory(inventory)).decision)
        #expect(first.change?.lastActivityAt == now && first.cadenceAnchor == now)
        let later = Session.play(
            upload, .inventory(inventory), progress: first.progress, at: now + .seconds(3_599))
        #expect(later.decision?.change?.lastActivityAt == now)
        let over = Session.play(
            upload, .inventory(inventory), .proof(.incomplete), progress: first.progress, at: now + .seconds(3_600))
        #expect(over.status == "expired")
    }

    @Test func growthIsActivityEvenWhereTheStoreShowsNoTimes() throws {
        var inventory = Session.holed
        inventory.lastActivityAt = nil
        let upload = Session.upload(received: 1)
        let before = UploadProgress(seen: .init(fingerprint: "one", since: created))
        let grown = try #require(Session.play(upload, .inventory(inventory), progress: before, at: late).decision)
        #expect(grown.verdict == .recheck && grown.change?.lastActivityAt == late)
        // Without a look to compare with, the row's own count tells; and the first look of all is taken for activity.
        #expect(Session.play(upload, .inventory(inventory), at: late).decision?.change?.lastActivityAt == late)
        let new = Session.upload()
        #expect(Session.play(new, .inventory(inventory), at: late).decision?.change?.lastActivityAt == late)
        // Nothing more came: idle.
        let same = Session.upload(received: 2, lastActivityAt: created)
        let still = UploadProgress(seen: .init(fingerprint: "holed", since: created))
        #expect(Session.play(same, .inventory(inventory), progress: still, at: late).actions == [.inspect, .prove])
    }

    @Test func growthCountsAlsoWhereTheStoresTimesAreLongPast() {
        let upload = Session.upload(received: 1)
        let before = UploadProgress(seen: .init(fingerprint: "one", since: created))
        let outcome = Session.play(upload, .inventory(Session.holed), progress: before, at: late)
        #expect(outcome.actions == [.inspect] && outcome.decision?.change?.lastActivityAt == late)
        // The first look of a session whose chunks are old finds it idle.
        #expect(Session.play(Session.upload(), .inventory(Session.holed), at: late).actions == [.inspect, .prove])
    }

    @Test func aSessionWithoutAnyChunkHasNoActivity() {
        let decision = Session.play(Session.upload(), .inventory(Session.empty)).decision
        #expect(decision?.change?.lastActivityAt == nil)
        #expect(decision?.cadenceAnchor == created)
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

    /// The column holds all that 10,000 chunks can miss, and of more the first; always whole numbers.
    @Test func whatIsMissingIsBoundedInLength() throws {
        let few = Inventory(received: 0, receivedBytes: 0, missing: ChunkRanges(stride(from: 1, to: 10_001, by: 2)))
        let many = Inventory(
            received: 0, receivedBytes: 0, missing: ChunkRanges(stride(from: 1, to: 1_000_000, by: 2)))
        for inventory in [few, many] {
            let change = Session.play(Session.upload(), .inventory(inventory)).decision?.change
            let missing = try #require(change?.missing)
            #expect(missing.utf8.count <= 32_768)
            #expect(missing.split(separator: ",").allSatisfy { Int($0) != nil })
            // Not the texts themselves: what is told of a failure should be readable.
            let whole = inventory.missing.description
            let (isPrefix, isFull) = (whole.hasPrefix(missing), missing == whole)
            #expect(isPrefix)
            #expect(isFull == (inventory == few))
            #expect(isFull || missing.utf8.count > 32_700)
        }
    }
}

extension JSONValue {
    fileprivate subscript(index: Int) -> JSONValue? {
        if case .array(let values) = self, values.indices.contains(index) { values[index] } else { nil }
    }
}
