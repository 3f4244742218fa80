import JSON
import Reconciling
import Timeline

/// What decisions are made of.
extension UploadRules {
    func rest(_ reason: String) -> UploadStep {
        .conclude(UploadDecision(.settled, next: .rest, reason: reason))
    }

    /// Nudged before its time: nothing is freed early.
    func kept(until time: Timestamp) -> UploadStep {
        .conclude(
            UploadDecision(.recheck, next: .after(time - now), reason: UploadReason.kept, progress: progress))
    }

    func completed(_ publication: Publication, _ reason: String) -> UploadDecision {
        var change = UploadChange(
            status: "complete", receivedChunks: upload.chunkCount, missing: "", mergedBytes: publication.bytes,
            lastActivityAt: chunkActivityAt, location: publication.location, etag: publication.etag)
        guard !publication.leavesNothing else {
            change.reclaimedBytes = 0
            // It may be that this cannot be written, and then only the store's note tells what was published.
            return UploadDecision(
                .settled, next: .rest, change: change, reason: reason, progress: UploadProgress(state: progress.state))
        }
        let noted = UploadProgress(state: progress.state, reclaimAt: now + policy.reclaimAfter)
        return UploadDecision(
            .settled, next: .after(policy.reclaimAfter), change: change, reason: reason, progress: noted)
    }

    /// For humans. What was decided already stays decided; the reason puts it before them all the same.
    func review(_ reason: String, detail: JSONValue? = nil) -> UploadDecision {
        let isDecided = upload.status == "complete" || upload.status == "expired"
        var change = UploadChange(
            status: isDecided ? upload.status : "review", mergedBytes: progress.mergedBytes,
            lastActivityAt: chunkActivityAt, reviewReason: reason, reviewDetail: reviewDetail(detail))
        if let inventory {
            change.receivedChunks = received(inventory)
            change.missing = inventory.missing.column
        }
        var noted = isDecided ? progress : progress.carried
        // A store that keeps the chunks of an upload which is not complete knows better: it is proved anew once nudged.
        if isDecided, noted.isIncomplete { (noted.isIncomplete, noted.isRestoring) = (false, true) }
        noted.reviewed = reason
        return UploadDecision(.review, next: .rest, change: change, reason: reason, progress: noted)
    }

    func received(_ inventory: Inventory) -> Int { min(max(inventory.received, 0), Int(Int32.max)) }

    private func reviewDetail(_ found: JSONValue?) -> String {
        var detail = JSONObjectText()
        detail.add("status_before", upload.status)
        detail.add("found", json: found)
        if let inventory { detail.add("chunks", object: inventory.jsonObject) }
        return detail.text
    }

    var sessionDetail: JSONValue {
        .object([
            .init("total_bytes", .number(String(upload.totalBytes))),
            .init("chunk_bytes", .number(String(upload.chunkBytes))),
            .init("chunk_count", .number(String(upload.chunkCount))),
        ])
    }

    func sizeDetail(_ bytes: Int64) -> JSONValue {
        .object([
            .init("total_bytes", .number(String(upload.totalBytes))), .init("target_bytes", .number(String(bytes))),
        ])
    }

    // MARK: faults

    func faulted(_ fault: StoreFault) -> UploadDecision {
        switch fault.kind {
        case .unavailable(let retryAfter):
            return failed(UploadReason.unavailable, fault.problem, .failed(retryAfter: retryAfter))
        case .unreadable: return failed(UploadReason.unreadable, fault.problem, .answered)
        case .misconfigured:
            return UploadDecision(
                .failed, next: .handBack, reason: UploadReason.misconfigured, error: fault.problem,
                progress: progress, laneSignal: .misconfigured(fault.problem))
        case .invalid(let reason):
            return impossible(reason, .object([.init("problem", .string(fault.problem))]))
        case .interrupted: return interrupted
        }
    }

    /// What the store noted stays in the row; the next claim goes on from there.
    var interrupted: UploadDecision {
        UploadDecision(
            .failed, next: .handBack, reason: UploadReason.interrupted, progress: progress, laneSignal: .silent)
    }

    private func failed(_ reason: String, _ problem: String, _ signal: LaneSignal) -> UploadDecision {
        let isGivenUp = upload.status == "review" && failureCount >= Self.reviewFailureCountMax
        return UploadDecision(
            .failed, next: isGivenUp ? .rest : .backoff, reason: reason, error: problem, progress: progress,
            laneSignal: signal)
    }

    /// The row itself cannot be served: for humans, until one has ended it. Nothing of it can be reclaimed then, and to say
    /// so once more would keep it before them for ever. Without an upload id nothing can lie in the store; else the name
    /// stays taken, for another session of that name would find this one's chunks.
    func impossible(_ reason: String, _ detail: JSONValue) -> UploadDecision {
        let isEnded = progress.isResolved && (upload.status == "complete" || upload.status == "expired")
        guard isEnded, UploadReason.impossible.contains(reason) else { return review(reason, detail: detail) }
        return UploadDecision(
            .settled, next: .rest,
            change: UploadChange(status: upload.status, reclaimedBytes: reason == UploadReason.noUploadID ? 0 : nil),
            reason: UploadReason.notReclaimed)
    }

    // MARK: dry run

    /// The step as it may be taken: in a dry run nothing is done, and where the configuration asks for it, nothing but
    /// the schedule is written. A row that would have changed still waits, and is decided once the dry run ends.
    func shown(_ step: UploadStep) -> UploadStep {
        switch step {
        case .act(let action):
            guard isReadOnly, !action.isReadOnly else { return step }
            return .conclude(
                UploadDecision(
                    .recheck, next: .cadence, reason: UploadReason.dryRun, progress: progress,
                    laneSignal: isAsked ? .answered : .silent, cadenceAnchor: inventory == nil ? nil : activityAt,
                    would: .init(action: action)))
        case .conclude(var decision):
            if !isAsked, decision.laneSignal == .answered { decision.laneSignal = .silent }
            guard policy.isDryRun, decision.next != .handBack else { return .conclude(decision) }
            return .conclude(unwritten(decision))
        }
    }

    private func unwritten(_ decision: UploadDecision) -> UploadDecision {
        var shown = decision
        shown.reason = UploadReason.dryRun
        shown.change = nil
        shown.progress = progress
        guard let change = decision.change, isVisible(change) else { return shown }
        shown.verdict = .recheck
        shown.next = .cadence
        shown.would = .init(
            verdict: decision.verdict, reason: decision.reason, status: change.status,
            reviewReason: change.reviewReason)
        return shown
    }

    private func isVisible(_ change: UploadChange) -> Bool {
        change.status != upload.status || change.reviewReason != upload.reviewReason || change.reclaimedBytes != nil
    }
}
