import JSON
import Reconciling
import TestSupport
import Testing
import Timeline

@testable import Uploads

/// What holds for every session, store and instant; the seed is printed with a failure and set by RECONCILED_TEST_SEED.
@Suite struct UploadRulesPropertyTests {
    /// One check on a session of any kind, in a world of any kind, with everything that was asked and found.
    private struct Check: CustomStringConvertible {
        var upload: Upload
        var policy: UploadPolicy
        var progress: UploadProgress
        var now: Timestamp
        var isDryRun: Bool
        var script: [(action: UploadAction, finding: UploadFinding)] = []
        var decision: UploadDecision?

        var description: String {
            "seed \(TestSeed.value): \(upload), \(progress), \(script), \(String(describing: decision))"
        }

        var findings: [UploadFinding] { script.map(\.finding) }
        var status: String { decision?.change?.status ?? upload.status }

        func did(_ action: UploadAction) -> Bool { script.contains { $0.action == action } }
    }

    private func forAll(_ check: (Check) -> Void) {
        var random = SeededRandom(seed: TestSeed.value)
        for _ in 0..<20_000 { check(played(&random)) }
    }

    private func played(_ random: inout SeededRandom) -> Check {
        let instants = [0, 30, 3_599, 3_600, 90_000].map { Session.created + .seconds($0) }
        func instant(_ random: inout SeededRandom) -> Timestamp? {
            Bool.random(using: &random) ? nil : instants.randomElement(using: &random)
        }
        let status = ["receiving", "receiving", "merging", "complete", "expired", "review", "foreign"]
            .randomElement(using: &random)!
        var upload = Session.upload(
            status: status, chunkCount: Int.random(in: 0..<20, using: &random) == 0 ? 9 : 3,
            received: Int.random(in: 0...3, using: &random), lastActivityAt: instant(&random),
            expiresAt: instant(&random),
            reclaimedAt: Int.random(in: 0..<8, using: &random) == 0 ? Session.created : nil,
            reviewReason: ["POISON", "DIGEST_MISMATCH", "MANUAL", nil].randomElement(using: &random)!)
        upload.createdAt = instants.randomElement(using: &random)!
        var policy = Session.policy
        policy.isDryRun = Int.random(in: 0..<8, using: &random) == 0
        let progress = UploadProgress(
            mergedBytes: [nil, 5].randomElement(using: &random)!, state: [nil, .null].randomElement(using: &random)!,
            seen: instant(&random).map { .init(fingerprint: "whole", since: $0) },
            disproved: [nil, "gone"].randomElement(using: &random)!, reclaimAt: instant(&random),
            isIncomplete: Bool.random(using: &random), trash: instant(&random).map { .init(bytes: 5, until: $0) },
            isRestoring: Int.random(in: 0..<8, using: &random) == 0,
            isResolved: Int.random(in: 0..<4, using: &random) == 0,
            spaceWaits: Int.random(in: 0...20, using: &random), restarts: Int.random(in: 0...20, using: &random))
        // Late half of the time: an upload expires only then, and only rarely.
        let now = Bool.random(using: &random) ? instants.last! : instants.randomElement(using: &random)!
        var check = Check(
            upload: upload, policy: policy, progress: progress, now: now,
            isDryRun: Int.random(in: 0..<8, using: &random) == 0)
        var rules = UploadRules(
            upload, policy: policy, progress: progress, failureCount: Int.random(in: 0...25, using: &random),
            isDryRun: check.isDryRun)
        var step = rules.begin(at: check.now)
        while case .act(let action) = step, check.script.count < 10 {
            let finding = finding(action, &random)
            check.script.append((action, finding))
            step = rules.found(finding, begunAt: check.now, at: check.now)
        }
        if case .conclude(let decision) = step { check.decision = decision }
        return check
    }

    private func finding(_ action: UploadAction, _ random: inout SeededRandom) -> UploadFinding {
        if Int.random(in: 0..<6, using: &random) == 0 {
            let kinds: [StoreFault.Kind] = [
                .unavailable(retryAfter: nil), .misconfigured, .unreadable, .invalid(reason: "X"),
                .invalid(reason: "NO_UPLOAD_ID"), .interrupted,
            ]
            return .fault(StoreFault(kinds.randomElement(using: &random)!, "why"))
        }
        var publication = Session.publication
        publication.bytes = Int.random(in: 0..<8, using: &random) == 0 ? 11 : 12
        publication.leavesNothing = Bool.random(using: &random)
        switch action {
        case .inspect:
            var inventory = [Session.whole, Session.holed, Session.gone, Session.empty].randomElement(using: &random)!
            inventory.quietFor = [.zero, .seconds(2), .seconds(90)].randomElement(using: &random)!
            inventory.targetBytes = [nil, 12, 11].randomElement(using: &random)!
            if Bool.random(using: &random) { inventory.lastActivityAt = nil }
            return .inventory(inventory)
        case .merge:
            return .merge(
                [
                    .published(publication), .chunksChanged, .targetExists(.null), .digestMismatch(.null),
                    .sizeMismatch(.null), .noSpace(neededBytes: 5, freeBytes: 1), .interrupted,
                ].randomElement(using: &random)!)
        case .prove:
            return .proof(
                [
                    .complete(publication), .incomplete, .different(reason: "SIZE_MISMATCH", .null), .undecided(.null),
                ].randomElement(using: &random)!)
        case .reclaim: return .reclaimed(12)
        case .discard: return .discarded(Discarded(bytes: 10, isKept: Bool.random(using: &random)))
        case .restore: return .restored(Bool.random(using: &random) ? 10 : nil)
        case .purge: return .purged(10)
        }
    }

    private func isPublished(_ finding: UploadFinding) -> Bool {
        switch finding {
        case .merge(.published(let publication)), .proof(.complete(let publication)): publication.bytes == 12
        default: false
        }
    }

    private func isNotPublished(_ finding: UploadFinding) -> Bool {
        switch finding {
        case .proof(.incomplete), .proof(.different): true
        default: false
        }
    }

    @Test func everyCheckEnds() {
        forAll { check in
            #expect(check.decision != nil && check.script.count <= 3, "\(check)")
        }
    }

    @Test func nothingExpiresWithoutProofThatItIsNotComplete() {
        var count = 0
        forAll { check in
            guard check.status == "expired", check.upload.status != "expired" else { return }
            count += 1
            #expect(check.upload.status == "receiving", "\(check)")
            #expect(check.findings.contains(where: isNotPublished), "\(check)")
            #expect(check.now >= check.upload.expiresAt ?? .distantPast, "\(check)")
            #expect(check.now - check.upload.createdAt >= check.policy.expireAfter, "\(check)")
        }
        #expect(count > 30, "the property was hardly tried; seed \(TestSeed.value)")
    }

    @Test func nothingIsCompleteUnlessItIsThere() {
        var count = 0
        forAll { check in
            guard check.status == "complete", check.upload.status != "complete" else { return }
            count += 1
            #expect(check.findings.contains(where: isPublished), "\(check)")
            #expect(["receiving", "merging", "review"].contains(check.upload.status), "\(check)")
        }
        #expect(count > 50, "the property was hardly tried; seed \(TestSeed.value)")
    }

    @Test func noChunkGoesUnlessTheRowSaysSoAlready() {
        var count = 0
        forAll { check in
            if check.did(.reclaim) || check.did(.discard) || check.did(.purge) {
                count += 1
                #expect(["complete", "expired"].contains(check.upload.status), "\(check)")
                #expect(check.upload.reclaimedAt == nil, "\(check)")
            }
            if check.did(.reclaim), check.upload.status == "complete" {
                #expect(check.progress.reclaimAt.map { $0 <= check.now } == true, "\(check)")
            }
            if check.did(.reclaim), check.upload.status == "expired" {
                #expect(check.findings.contains(where: isPublished), "\(check)")
            }
            if check.did(.purge) { #expect(check.progress.trash.map { $0.until <= check.now } == true, "\(check)") }
            if check.did(.discard) {
                #expect(check.progress.isIncomplete, "\(check)")
                #expect(!check.findings.contains(where: isPublished), "\(check)")
            }
            guard let bytes = check.decision?.change?.reclaimedBytes else { return }
            #expect(bytes >= 0, "\(check)")
            let isFreed = check.did(.reclaim) || check.did(.discard) || check.did(.purge)
            let isEnded = check.progress.isResolved && bytes == 0
            #expect(isFreed || isEnded || check.findings.contains(where: isPublished), "\(check)")
        }
        #expect(count > 50, "the property was hardly tried; seed \(TestSeed.value)")
    }

    @Test func chunksComeBackOnlyWhereTheyAreWaitedFor() {
        var count = 0
        forAll { check in
            guard check.did(.restore) else { return }
            count += 1
            #expect(check.upload.status == "receiving" && check.progress.mayBePutAway, "\(check)")
            #expect(check.script.first?.action == .restore, "\(check)")
        }
        #expect(count > 50, "the property was hardly tried; seed \(TestSeed.value)")
    }

    @Test func whatStillWaitsIsCheckedAgain() {
        forAll { check in
            guard let decision = check.decision, decision.next == .rest else { return }
            #expect(!["receiving", "merging"].contains(check.status), "\(check)")
            // A failure never puts to rest what is not in review.
            #expect(decision.verdict != .failed || check.status == "review", "\(check)")
        }
    }

    @Test func noWaitIsNegativeAndNoneSpins() {
        forAll { check in
            guard let decision = check.decision, case .after(let wait) = decision.next else { return }
            #expect(wait >= .zero, "\(check)")
            guard wait == .zero else { return }
            let isNoted = decision.progress.isIncomplete && !check.progress.isIncomplete
            #expect(check.status != check.upload.status || isNoted, "\(check)")
        }
    }

    @Test func aDryRunDoesNothing() {
        forAll { check in
            guard check.policy.isDryRun || check.isDryRun else { return }
            #expect(check.script.allSatisfy { $0.action.isReadOnly }, "\(check)")
            guard check.policy.isDryRun else { return }
            #expect(check.decision?.change == nil, "\(check)")
        }
    }

    @Test func aReviewNamesItsReasonAndIsRemembered() {
        forAll { check in
            guard let decision = check.decision, let change = decision.change, change.status == "review" else { return }
            #expect(change.reviewReason != nil, "\(check)")
            #expect(decision.progress.reviewed == change.reviewReason, "\(check)")
        }
    }

    @Test func whatCannotBeActedOnHasNoChunksTouched() {
        forAll { check in
            guard check.upload.plan == nil || check.upload.status == "foreign" else { return }
            #expect(check.script.isEmpty, "\(check)")
        }
    }

    /// The column goes through the database and back, and may hold anything.
    @Test func progressReadsBackAndGarbageIsNothing() throws {
        var random = SeededRandom(seed: TestSeed.value)
        let pieces = [
            "{", "}", "\"seen\":", "\"trash\":", "\"state\":", "null", "[1]", "\"x\"", ",", "-5", "1e99", "{}",
            "\"merged_bytes\":", "\"reclaim_at\":", "\"space_waits\":", "\"incomplete\":", "\"resolved\":", "true",
            "\"2026-11-23T14:00:00Z\"",
        ]
        for _ in 0..<2_000 {
            let check = played(&random)
            var progress = check.progress
            progress.reviewed = "X \"y\" \n"
            if progress.state == .null { progress.state = .object([.init("a", .array([.bool(true)]))]) }
            #expect(UploadProgress(json: progress.json) == progress, "\(check)")
            let text = (0..<6).map { _ in pieces.randomElement(using: &random)! }.joined()
            for json in [text, "{\(text)}"] {
                let read = UploadProgress(json: json)
                #expect(UploadProgress(json: read.json) == read, "seed \(TestSeed.value): \(json)")
                #expect(read.mergedBytes ?? 0 >= 0 && read.spaceWaits >= 0 && read.restarts >= 0)
            }
        }
        #expect(UploadProgress(json: nil) == UploadProgress())
        #expect(UploadProgress().json == nil)
        let odd = #"{"merged_bytes":-1,"seen":{"fingerprint":1},"trash":{"bytes":-1},"space_waits":99999999999}"#
        #expect(UploadProgress(json: odd) == UploadProgress(spaceWaits: 1_000))
    }
}
