import JSON
import Reconciling
import Testing
import Timeline

@testable import Uploads

/// What the look at a session's chunks comes to: rows of the decision table, each as a script of findings.
@Suite struct UploadRulesTests {
    private let created = Session.created
    private let now = Session.now
    private let late = Session.late

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

    @Test func whatIsInTheWayOfAllChunksIsSaidWithoutAReview() throws {
        var inventory = Session.empty
        inventory.obstacle = "“U-1” is in the place of the session's directory."
        for upload in [Session.upload(), Session.upload(status: "review", reviewReason: "POISON")] {
            let decision = try #require(
                Session.play(upload, .inventory(inventory), .proof(.incomplete)).decision)
            #expect(decision.reason == "CHUNKS_MISSING" && decision.error == inventory.obstacle)
            #expect(decision.change?.reviewReason == upload.reviewReason && decision.change?.missing == "0-2")
            let detail = try JSONValue(parsing: try #require(decision.change?.reviewDetail))
            #expect(detail["obstacle"]?.string == inventory.obstacle)
        }
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
}

extension JSONValue {
    fileprivate subscript(index: Int) -> JSONValue? {
        if case .array(let values) = self, values.indices.contains(index) { values[index] } else { nil }
    }
}
