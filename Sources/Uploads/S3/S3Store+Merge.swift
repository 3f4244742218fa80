import JSON
import Timeline

extension S3Store {
    public func merge(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> MergeOutcome {
        do throws(StoreFault) {
            return try await merge(try S3Session(upload, plan), work)
        } catch {
            return error.kind == .interrupted ? .interrupted : .fault(error)
        }
    }

    private func merge(_ session: S3Session, _ work: StoreWork) async throws(StoreFault) -> MergeOutcome {
        guard let listing = try await parts(session, work) else { return try await withoutSession(session, work) }
        guard let parts = session.wholeParts(listing) else { return .chunksChanged }
        let composite = CompositeETag.of(parts)
        if let target = try await object(session, work) {
            return try await occupied(by: target, session, composite, work)
        }
        // From here on Complete may have been sent. A successor that finds the upload gone knows by this what to look
        // for; one that finds it there sends Complete again.
        var state = S3MergeNote(session, etag: composite)
        state.refused = S3MergeNote(work.state, of: session)?.refused
        guard work.leaseRemaining() > client.timeout, await note(state, work) else { return .interrupted }
        return try await complete(session, parts, state, ifAbsent: true, work)
    }

    /// - Parameter state: as it is noted.
    private func complete(
        _ session: S3Session, _ parts: [S3Part], _ state: S3MergeNote, ifAbsent: Bool, _ work: StoreWork
    ) async throws(StoreFault) -> MergeOutcome {
        guard work.leaseRemaining() > client.timeout, !Task.isCancelled else { return .interrupted }
        switch await client.complete(session.key, uploadID: session.uploadID, parts: parts, ifAbsent: ifAbsent, work) {
        case .success(let etag): return try await completed(session, etag ?? state.etag, work)
        case .failure(let failure):
            if failure.isOfParts { return try await refused(parts, state, failure, work) }
            guard ifAbsent, failure.isOfCondition else {
                return try await failed(failure, session, parts, state, work)
            }
            // Nothing was done. Without the store's help it is asked once more whether something stands there, as late as
            // can be.
            if let target = try await object(session, work) {
                return try await occupied(by: target, session, state.etag, work)
            }
            return try await complete(session, parts, state, ifAbsent: false, work)
        }
    }

    /// The store does not take what it lists. One of the parts may have been sent again since, or a listing may lag behind:
    /// the chunks are looked at anew. It may also say no more than that the request is a bad one. If it lists the very same
    /// parts later, and refuses them again, waiting is no help.
    private func refused(
        _ parts: [S3Part], _ state: S3MergeNote, _ failure: S3Failure, _ work: StoreWork
    ) async throws(StoreFault) -> MergeOutcome {
        let fingerprint = Inventory.fingerprint(parts)
        guard state.refused != fingerprint else {
            throw StoreFault(
                .invalid(reason: UploadReason.partsRefused),
                "The store refuses the parts that it lists (\(failure.shown)), unchanged since it refused them before.")
        }
        var state = state
        state.refused = fingerprint
        guard await note(state, work) else { return .interrupted }
        guard failure.isOfParts else { throw failure.fault }
        return .chunksChanged
    }

    /// Complete was answered with success: the object must be there and be right.
    ///
    /// - Parameter etag: by the answer, which knows better than the parts do how the store reckons ETags.
    private func completed(
        _ session: S3Session, _ etag: String?, _ work: StoreWork
    ) async throws(StoreFault) -> MergeOutcome {
        guard let object = try await object(session, work) else {
            throw StoreFault(.unavailable(retryAfter: nil), "The store completed the upload, but shows no object yet.")
        }
        switch try await likeness(object, session, etag ?? object.etag, isOver: true, work) {
        case .same(let publication): return .published(publication)
        case .wrongDigest(let detail): return .digestMismatch(detail)
        case .otherSize(let detail): return .sizeMismatch(detail)
        case .otherContent(let detail), .unclear(let detail): return .targetExists(detail)
        }
    }

    /// Something stood there before Complete was sent: the parts stay until they are reclaimed.
    private func occupied(
        by object: S3Client.Object, _ session: S3Session, _ composite: String?, _ work: StoreWork
    ) async throws(StoreFault) -> MergeOutcome {
        switch try await likeness(object, session, composite, isOver: false, work) {
        case .same(let publication): return .published(publication)
        case .wrongDigest(let detail): return .digestMismatch(detail)
        case .otherSize(let detail), .otherContent(let detail), .unclear(let detail): return .targetExists(detail)
        }
    }

    /// The multipart upload is gone: completed by a call whose answer was lost, or by someone else, or aborted.
    private func withoutSession(_ session: S3Session, _ work: StoreWork) async throws(StoreFault) -> MergeOutcome {
        let noted = S3MergeNote(work.state, of: session)
        guard let object = try await object(session, work) else { return .chunksChanged }
        switch try await likeness(object, session, noted?.etag, isOver: true, work) {
        case .same(let publication): return .published(publication)
        case .wrongDigest(let detail): return .digestMismatch(detail)
        case .unclear(let detail): return .targetExists(detail)
        // An older object under that name; but where Complete was sent, what it made was overwritten.
        case .otherSize(let detail), .otherContent(let detail):
            return noted == nil ? .chunksChanged : .targetExists(detail)
        }
    }

    private func failed(
        _ failure: S3Failure, _ session: S3Session, _ parts: [S3Part], _ state: S3MergeNote, _ work: StoreWork
    ) async throws(StoreFault) -> MergeOutcome {
        switch failure.code {
        case "EntityTooSmall":
            throw StoreFault(
                .invalid(reason: UploadReason.partTooSmall),
                "The store refuses parts that small; all but the last must have 5 MiB at most stores.")
        case "EntityTooLarge":
            throw StoreFault(.invalid(reason: UploadReason.tooLarge), "The store takes no object that large.")
        default: break
        }
        if failure == .silent(.interrupted) { return .interrupted }
        let isRace =
            failure.status == 412 || failure.status == 409
            || ["PreconditionFailed", "ConditionalRequestConflict"].contains(failure.code)
        let isGone = failure.isNoSuchUpload || failure.status == 404
        guard isRace || isGone || isAmbiguous(failure) else {
            // What is neither the store's trouble nor our configuration's.
            let isLasting = failure.status == 400 && failure.fault.kind == .unreadable
            guard isLasting else { throw failure.fault }
            return try await refused(parts, state, failure, work)
        }
        // It may have been done all the same: the object says.
        guard let object = try await object(session, work) else {
            guard isRace || isGone else { throw failure.fault }
            return .chunksChanged
        }
        switch try await likeness(object, session, state.etag, isOver: !isRace, work) {
        case .same(let publication): return .published(publication)
        case .wrongDigest(let detail): return .digestMismatch(detail)
        case .otherSize(let detail), .otherContent(let detail), .unclear(let detail):
            guard isRace || isGone else { throw failure.fault }
            return .targetExists(detail)
        }
    }

    private func isAmbiguous(_ failure: S3Failure) -> Bool {
        switch failure {
        case .silent, .unreadable: true
        case .refused(let status, _, _, _): status >= 500
        }
    }

    /// False if the lease was lost or the state could not be noted: then nothing that needs it is done.
    func note(_ state: S3MergeNote, _ work: StoreWork) async -> Bool {
        do { return try await work.checkpoint(0, state.json) } catch { return false }
    }
}
