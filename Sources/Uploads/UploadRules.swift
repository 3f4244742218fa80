import JSON
import Reconciling
import Timeline

/// The decision table for uploads: every choice about a session is made here, without a clock and without I/O.
///
/// One check is a short script: `begin` says what the store is to do first, `found` takes what came of it and says what
/// is next, until a decision is reached. A status never changes in the same check that acts on the new one: each change
/// is settled by itself, so that it is fenced. What a status allows:
///
/// - `receiving`: looks, proves; brings back first what was put out of the way while it was `expired`; becomes `merging`,
///   `complete` by proof, `expired` by proof of the contrary, `review`.
/// - `merging`: merges; becomes `complete`, `receiving` if chunks changed, `review`.
/// - `complete`: has its chunks reclaimed when their time has come. Written by someone else it is looked at and proved
///   first: chunks that came since the last look are the session's own.
/// - `expired`: has its chunks put out of the way, and freed when their time has come. Written by someone else, who
///   cancelled the session, it is looked at, and whether the file is there; then only superfluous chunks are freed.
/// - `review`: nudged, it is looked at again. A merge or a proof that is right now makes it `complete`, whatever of ours
///   the reason was: the bad chunk was sent again, the target in the way was moved. Anything else is recorded and the
///   status kept. A review that someone else gave is left to them.
/// - Anything else: to rest, unasked.
public struct UploadRules: Sendable {
    /// A row in review or otherwise decided is tried again after failures, but not for ever.
    public static let reviewFailureCountMax = 20
    /// A check planned for an instant starts this much behind it, so that it sees the instant passed.
    static let margin = Duration.milliseconds(100)

    let upload: Upload
    let policy: UploadPolicy
    let failureCount: Int
    /// Nothing of the store may be changed.
    let isReadOnly: Bool
    /// What was noted before, and what the store notes meanwhile.
    public var progress: UploadProgress
    /// When the last question was asked, by the database's clock: an answer is as old as its question.
    var begunAt: Timestamp
    var now: Timestamp
    var inventory: Inventory?
    /// What the chunks looked like at the last check.
    var seenBefore: UploadProgress.Seen?
    var isAsked = false

    /// - Parameters:
    ///   - failureCount: consecutive failed checks before this one.
    ///   - isDryRun: whether the conclusion is only shown. The store's configuration may say so as well, and then
    ///     nothing but the schedule is written.
    public init(
        _ upload: Upload, policy: UploadPolicy, progress: UploadProgress = .init(), failureCount: Int = 0,
        isDryRun: Bool = false
    ) {
        self.upload = upload
        self.policy = policy
        self.progress = progress
        self.failureCount = failureCount
        isReadOnly = isDryRun || policy.isDryRun
        begunAt = .distantPast
        now = .distantPast
    }

    /// What the store is to do first, or what needs no question.
    public mutating func begin(at now: Timestamp) -> UploadStep {
        begunAt = now
        self.now = now
        return shown(first)
    }

    /// What follows from a finding.
    ///
    /// - Parameters:
    ///   - begunAt: when the store was asked, by the database's clock.
    ///   - now: when it answered.
    public mutating func found(_ finding: UploadFinding, begunAt: Timestamp, at now: Timestamp) -> UploadStep {
        self.begunAt = begunAt
        self.now = now
        isAsked = true
        let step = next(finding)
        return shown(step)
    }

    private var first: UploadStep {
        guard Self.statuses.contains(upload.status) else { return rest(UploadReason.foreignStatus) }
        if upload.status == "complete" || upload.status == "expired", upload.reclaimedAt != nil {
            return rest(UploadReason.alreadyReclaimed)
        }
        if upload.status == "review", !mayDecideReview {
            return .conclude(
                UploadDecision(.review, next: .rest, reason: UploadReason.foreignReview, progress: progress))
        }
        guard upload.plan != nil else { return .conclude(impossible(UploadReason.invalidSession, sessionDetail)) }
        switch upload.status {
        case "merging": return .act(isReadOnly ? .inspect : .merge)
        case "complete":
            guard let reclaimAt = progress.reclaimAt else { return .act(.inspect) }
            return now < reclaimAt ? kept(until: reclaimAt) : .act(.reclaim)
        case "expired":
            if let trash = progress.trash { return now < trash.until ? kept(until: trash.until) : .act(.purge) }
            return .act(progress.isIncomplete ? .discard : .inspect)
        case "receiving" where progress.mayBePutAway: return .act(.restore)
        default: return .act(.inspect)
        }
    }

    private static let statuses: Set<String> = ["receiving", "merging", "complete", "expired", "review"]

    private var mayDecideReview: Bool {
        guard let reason = upload.reviewReason else { return false }
        return UploadReason.given.contains(reason) || progress.reviewed == reason
    }

    private mutating func next(_ finding: UploadFinding) -> UploadStep {
        switch finding {
        case .inventory(let inventory):
            self.inventory = inventory
            return inspected(inventory)
        case .merge(let outcome): return .conclude(merged(outcome))
        case .proof(let proof): return proved(credible(proof))
        case .reclaimed(let bytes): return .conclude(reclaimed(bytes))
        case .discarded(let discarded): return .conclude(self.discarded(discarded))
        case .restored(let bytes):
            // What is in the way is seen by the look; and an upload that waits for it may expire.
            (progress.isRestoring, progress.isIncomplete, progress.trash) = (bytes == nil, false, nil)
            return .act(.inspect)
        // The trash may have been emptied before, by a call whose answer was lost or because space was short.
        case .purged(let bytes): return .conclude(reclaimed(max(bytes, progress.trash?.bytes ?? 0)))
        case .fault(let fault): return .conclude(faulted(fault))
        }
    }

    // MARK: merge

    private func merged(_ outcome: MergeOutcome) -> UploadDecision {
        switch outcome {
        case .published(let publication):
            guard publication.bytes == upload.totalBytes else {
                return review(UploadReason.sizeMismatch, detail: sizeDetail(publication.bytes))
            }
            return completed(publication, UploadReason.merged)
        case .chunksChanged: return chunksChanged
        case .targetExists(let detail): return review(UploadReason.targetExists, detail: detail)
        case .digestMismatch(let detail): return review(UploadReason.digestMismatch, detail: detail)
        case .sizeMismatch(let detail): return review(UploadReason.sizeMismatch, detail: detail)
        case .noSpace(let neededBytes, let freeBytes): return noSpace(neededBytes, freeBytes)
        case .interrupted: return interrupted
        case .fault(let fault): return faulted(fault)
        }
    }

    /// Merged anew when the chunks are quiet again; ever later, should the store never agree with itself. What the store
    /// noted stays: another worker may have published at this very moment, and only the note proves it.
    private var chunksChanged: UploadDecision {
        var noted = progress.carried
        noted.mergedBytes = nil
        noted.countRestart()
        let wait = max(policy.quiescence, Backoff.check.limit(failures: noted.restarts))
        let isReview = upload.status == "review"
        if isReview { noted.reviewed = progress.reviewed }
        let change = UploadChange(status: "receiving", mergedBytes: 0, lastActivityAt: now)
        return UploadDecision(
            .recheck, next: .after(wait), change: isReview ? nil : change, reason: UploadReason.chunksChanged,
            progress: noted, cadenceAnchor: now)
    }

    private func noSpace(_ neededBytes: Int64, _ freeBytes: Int64) -> UploadDecision {
        var noted = progress
        noted.countSpaceWait()
        return UploadDecision(
            .recheck, next: .after(Backoff.check.limit(failures: noted.spaceWaits)), reason: UploadReason.noSpace,
            error: "Not enough space: \(neededBytes) bytes are needed, \(freeBytes) are free.", progress: noted)
    }

    // MARK: proof

    private mutating func proved(_ proof: CompletionProof) -> UploadStep {
        switch (upload.status, proof) {
        case ("expired", .complete): return .act(.reclaim)
        // Noted first: whoever dies while the chunks are put out of the way leaves a row that says so.
        case ("expired", _): return isReadOnly ? .act(.discard) : .conclude(givenUp)
        case (_, .complete(let publication)): return .conclude(completed(publication, UploadReason.foundComplete))
        case ("complete", .incomplete): return .conclude(review(UploadReason.targetMissing))
        case ("complete", .different(let reason, let detail)): return .conclude(review(reason, detail: detail))
        case (_, .undecided(let detail)) where upload.status == "complete" || (upload.status == "receiving" && isOver):
            return .conclude(review(UploadReason.targetExists, detail: detail))
        case ("receiving", .incomplete) where isOver, ("receiving", .different) where isOver: return .conclude(expired)
        default:
            progress.disproved = inventory?.fingerprint
            return .conclude(missing)
        }
    }

    /// A store that calls something complete which is not as long as the upload is not believed.
    private func credible(_ proof: CompletionProof) -> CompletionProof {
        guard case .complete(let publication) = proof, publication.bytes != upload.totalBytes else { return proof }
        return .undecided(sizeDetail(publication.bytes))
    }

    // MARK: chunks go

    private func reclaimed(_ bytes: Int64) -> UploadDecision {
        UploadDecision(
            .settled, next: .rest, change: UploadChange(status: upload.status, reclaimedBytes: max(bytes, 0)),
            reason: UploadReason.reclaimed)
    }

    private func discarded(_ discarded: Discarded) -> UploadDecision {
        guard discarded.isKept else { return reclaimed(discarded.bytes) }
        var noted = progress
        noted.trash = .init(bytes: max(discarded.bytes, 0), until: now + policy.reclaimAfter)
        return UploadDecision(
            .recheck, next: .after(policy.reclaimAfter), change: UploadChange(status: upload.status),
            reason: UploadReason.discarded, progress: noted)
    }
}
