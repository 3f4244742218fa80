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
        let state = S3MergeNote(session, etag: composite)
        guard work.leaseRemaining() > client.timeout, await note(state, work) else { return .interrupted }
        return try await complete(session, parts, composite, ifAbsent: true, work)
    }

    private func complete(
        _ session: S3Session, _ parts: [S3Part], _ composite: String?, ifAbsent: Bool, _ work: StoreWork
    ) async throws(StoreFault) -> MergeOutcome {
        guard work.leaseRemaining() > client.timeout, !Task.isCancelled else { return .interrupted }
        switch await client.complete(session.key, uploadID: session.uploadID, parts: parts, ifAbsent: ifAbsent, work) {
        case .success(let etag): return try await completed(session, etag ?? composite, work)
        case .failure(let failure):
            if ifAbsent, failure.status == 501 || failure.code == "NotImplemented" {
                return try await complete(session, parts, composite, ifAbsent: false, work)
            }
            return try await failed(failure, session, composite, work)
        }
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
        _ failure: S3Failure, _ session: S3Session, _ composite: String?, _ work: StoreWork
    ) async throws(StoreFault) -> MergeOutcome {
        switch failure.code {
        case "InvalidPart", "InvalidPartOrder": return .chunksChanged
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
        guard isRace || isGone || isAmbiguous(failure) else { throw failure.fault }
        // It may have been done all the same: the object says.
        guard let object = try await object(session, work) else {
            guard isRace || isGone else { throw failure.fault }
            return .chunksChanged
        }
        switch try await likeness(object, session, composite, isOver: !isRace, work) {
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
        case .refused(let status, _, _): status >= 500
        }
    }

    /// False if the lease was lost or the state could not be noted: then nothing that needs it is done.
    func note(_ state: S3MergeNote, _ work: StoreWork) async -> Bool {
        do { return try await work.checkpoint(0, state.json) } catch { return false }
    }
}
