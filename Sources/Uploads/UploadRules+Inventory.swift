import JSON
import Reconciling
import Timeline

/// What the look at a session's chunks means.
extension UploadRules {
    mutating func inspected(_ inventory: Inventory) -> UploadStep {
        seenBefore = progress.seen
        progress.seen = seen(inventory)
        switch upload.status {
        case "merging": return .act(.merge)
        case "complete", "expired": return .act(.prove)
        default: break
        }
        if isWhole(inventory) {
            if let wait = unquietFor(inventory) { return .conclude(unquiet(inventory, wait)) }
            return upload.status == "review" ? .act(.merge) : .conclude(whole(inventory))
        }
        if isMaybeComplete(inventory) || (upload.status == "receiving" && isOver) { return .act(.prove) }
        return .conclude(missing)
    }

    private func isWhole(_ inventory: Inventory) -> Bool {
        !inventory.isSessionGone && inventory.missing.isEmpty && inventory.received >= upload.chunkCount
    }

    /// Someone else may have made the file: the session is gone at the store, or the chunks are and a target stands
    /// there. Asked once for what is seen, for proof may mean to read all of it; when a review was nudged, always.
    private func isMaybeComplete(_ inventory: Inventory) -> Bool {
        guard upload.status == "receiving" else { return true }
        guard progress.disproved != inventory.fingerprint else { return false }
        return inventory.isSessionGone || (inventory.received == 0 && inventory.targetBytes == upload.totalBytes)
    }

    // MARK: quiescence

    /// The look that is carried to the next check. Its time is when the look had ended: each chunk was unchanged at
    /// least from there to where the next look begins.
    private func seen(_ inventory: Inventory) -> UploadProgress.Seen {
        if let before = progress.seen, before.fingerprint == inventory.fingerprint, before.since <= begunAt {
            return before
        }
        return .init(fingerprint: inventory.fingerprint, since: now)
    }

    /// How long until the chunks are quiet, nil if they are: by the store's clock, or by two looks of ours.
    private func unquietFor(_ inventory: Inventory) -> Duration? {
        guard inventory.quietFor < policy.quiescence else { return nil }
        let byLooks = policy.quiescence - (begunAt - (progress.seen?.since ?? begunAt))
        guard byLooks > .zero else { return nil }
        // A store whose clock is ahead of ours says zero until that has passed.
        let byStore = inventory.quietFor > .zero ? policy.quiescence - inventory.quietFor : byLooks
        return min(byLooks, byStore, policy.quiescence)
    }

    // MARK: activity

    /// When a chunk arrived last, as far as anyone can tell; nil: none ever did.
    ///
    /// A time in the future (a skewed clock, a restored backup) is no later than when we first saw the chunks as they
    /// are: clamped to the present instead it would be activity at every check, and postpone the expiry for ever.
    var chunkActivityAt: Timestamp? {
        guard let inventory else { return nil }
        let times = [upload.lastActivityAt, inventory.lastActivityAt, growthAt].compactMap { $0 }
        return times.map(sane).max()
    }

    /// What idleness is counted from.
    var activityAt: Timestamp { max(sane(upload.createdAt), chunkActivityAt ?? .distantPast) }

    private func sane(_ time: Timestamp) -> Timestamp { time <= now ? time : progress.seen?.since ?? now }

    /// When we saw that something had changed, for stores that show no times, or wrong ones.
    private var growthAt: Timestamp? {
        guard let inventory, let seen = progress.seen else { return nil }
        if let seenBefore { return seen.fingerprint == seenBefore.fingerprint ? nil : seen.since }
        let isMore = inventory.received > upload.receivedChunks
        return isMore && (upload.receivedChunks > 0 || inventory.lastActivityAt == nil) ? seen.since : nil
    }

    /// When the session may expire: past `expires_at`, and idle for `expireAfter`.
    var overAt: Timestamp { max(upload.expiresAt ?? .distantPast, activityAt + policy.expireAfter) }

    var isOver: Bool { begunAt >= overAt }

    // MARK: decisions

    private func whole(_ inventory: Inventory) -> UploadDecision {
        var change = change(inventory)
        change.status = "merging"
        return UploadDecision(
            .settled, next: .after(.zero), change: change, reason: UploadReason.chunksWhole,
            progress: progress.carried, cadenceAnchor: activityAt)
    }

    private func unquiet(_ inventory: Inventory, _ wait: Duration) -> UploadDecision {
        UploadDecision(
            .recheck, next: .after(wait + Self.margin), change: change(inventory), reason: UploadReason.notQuiescent,
            progress: looked, cadenceAnchor: activityAt)
    }

    /// Not all there: looked at again by cadence, but no later than when it may expire. A review is for humans again.
    var missing: UploadDecision {
        guard let inventory else { preconditionFailure("chunks are missing only where somebody looked") }
        if upload.status == "review" {
            return UploadDecision(
                .review, next: .rest, change: change(inventory), reason: UploadReason.chunksMissing,
                error: inventory.obstacle, progress: looked)
        }
        let age = now - activityAt
        let step = Cadence(policy.cadence).step(age: age)
        let wait = overAt - now + Self.margin
        // The engine spreads a step by a tenth either way.
        let isOverSooner = wait > Self.margin && step + step / 10 > wait
        return UploadDecision(
            .recheck, next: isOverSooner ? .after(wait) : .cadence, change: change(inventory),
            reason: UploadReason.chunksMissing, error: inventory.obstacle, progress: looked, cadenceAnchor: activityAt)
    }

    var expired: UploadDecision {
        guard let inventory else { preconditionFailure("nothing expires that nobody looked at") }
        var change = change(inventory)
        change.status = "expired"
        return UploadDecision(
            .settled, next: .after(.zero), change: change, reason: UploadReason.expired, progress: ended)
    }

    /// Someone else let it expire, and it is not complete: the next check puts its chunks out of the way.
    var givenUp: UploadDecision {
        var noted = ended
        noted.isResolved = progress.isResolved
        return UploadDecision(
            .recheck, next: .after(.zero), change: inventory.map(change), reason: UploadReason.expired, progress: noted)
    }

    /// Its chunks go from here on, which says all that `isRestoring` does.
    private var ended: UploadProgress {
        var noted = progress.carried
        (noted.isIncomplete, noted.isRestoring) = (true, false)
        return noted
    }

    private var looked: UploadProgress {
        var noted = progress.carried
        noted.seen = progress.seen
        noted.disproved = progress.disproved
        noted.reviewed = upload.status == "review" ? upload.reviewReason : nil
        return noted
    }

    /// What the look changes whatever it means; the status stays.
    private func change(_ inventory: Inventory) -> UploadChange {
        let isReview = upload.status == "review"
        return UploadChange(
            status: upload.status, receivedChunks: received(inventory),
            missing: inventory.missing.column, lastActivityAt: chunkActivityAt,
            reviewReason: isReview ? upload.reviewReason : nil, reviewDetail: inventory.detail(isReview: isReview))
    }
}
