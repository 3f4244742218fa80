import Timeline

extension S3Store {
    /// Parts that were on their way when the upload was aborted land all the same, and stay for ever.
    private static let roundsMax = 10

    public func discard(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> Result<Discarded, StoreFault> {
        do throws(StoreFault) {
            return .success(try await discard(try S3Session(upload, plan), work))
        } catch {
            return .failure(error)
        }
    }

    private func discard(_ session: S3Session, _ work: StoreWork) async throws(StoreFault) -> Discarded {
        guard let listing = try await parts(session, work) else {
            return Discarded(bytes: S3MergeNote(work.state, of: session)?.discardedBytes ?? 0, isKept: false)
        }
        // There are stores where aborting what was completed takes the object's data along.
        let object = try await object(session, work)
        switch try await proof(object, session, listing, work) {
        case .incomplete, .different:
            // Completed by someone else, with other parts than were announced: there is nothing to give up.
            if let object, isMade(object, of: listing) { return Discarded(bytes: 0, isKept: false) }
        case .complete:
            throw StoreFault(
                .invalid(reason: UploadReason.targetExists),
                "The object is complete, so its multipart upload, which is there still, was not aborted.")
        case .undecided:
            throw StoreFault(
                .invalid(reason: UploadReason.targetExists),
                "The object may be made of these parts, so its multipart upload was not aborted. If it is not, abort it "
                    + "by hand.")
        }
        guard let bytes = try await abort(session, listing, work) else {
            throw StoreFault(
                .invalid(reason: UploadReason.targetExists),
                "The store says that this upload was completed, so there is nothing to give up.")
        }
        return Discarded(bytes: bytes, isKept: false)
    }

    /// A completed upload leaves no parts. But one that was not needed, for the object was there already or a person said
    /// that another is right, has them still, and somebody pays for them.
    public func reclaim(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> Result<Int64, StoreFault> {
        let session: S3Session
        // A person settled a session that no multipart upload can belong to.
        do throws(StoreFault) { session = try S3Session(upload, plan) } catch { return .success(0) }
        do throws(StoreFault) {
            return .success(try await reclaim(session, work))
        } catch {
            return .failure(error)
        }
    }

    private func reclaim(_ session: S3Session, _ work: StoreWork) async throws(StoreFault) -> Int64 {
        guard let listing = try await parts(session, work) else {
            return S3MergeNote(work.state, of: session)?.discardedBytes ?? 0
        }
        guard let object = try await object(session, work) else {
            throw StoreFault(
                .invalid(reason: UploadReason.targetMissing),
                "The object is not there, so its multipart upload, which is there still, was not aborted.")
        }
        // Only what surely is not made of these parts cannot lose its data with them.
        let known = etags(session, listing, work)
        let isOther =
            !known.isEmpty && known.allSatisfy { $0.lowercased() != object.etag.lowercased() }
            && !isMade(object, of: listing)
        return isOther ? try await abort(session, listing, work) ?? 0 : 0
    }

    /// Whether all the parts that are listed make the object, announced or not.
    private func isMade(_ object: S3Client.Object, of listing: S3Listing) -> Bool {
        let parts = listing.parts.values.sorted { $0.number < $1.number }
        return CompositeETag.of(parts).map { $0 == object.etag.lowercased() } ?? false
    }

    /// Aborts until nothing is left; says how many bytes that were, those of earlier calls included. Nil: the store knows
    /// the upload as completed, and its parts are the object.
    private func abort(
        _ session: S3Session, _ found: S3Listing, _ work: StoreWork
    ) async throws(StoreFault) -> Int64? {
        let noted = S3MergeNote(work.state, of: session)
        var listing = found
        var bytes = noted?.discardedBytes ?? 0
        for round in 0..<Self.roundsMax {
            bytes = max(bytes, listing.bytes)
            var state = noted ?? S3MergeNote(session)
            state.discardedBytes = bytes
            guard work.leaseRemaining() > client.timeout, await note(state, work) else {
                throw StoreFault(.interrupted, "The lease ended before the upload was aborted.")
            }
            switch await client.abort(session.key, uploadID: session.uploadID, work) {
            case .failure(let failure): throw failure.fault
            case .success(.wasCompleted): return nil
            case .success(.done): break
            }
            guard let rest = try await parts(session, work), !rest.parts.isEmpty else { return bytes }
            listing = rest
            try await pause(.milliseconds(100 << min(round, 6)), work)
        }
        throw StoreFault(.unavailable(retryAfter: nil), "Parts of the aborted upload keep appearing.")
    }

    private func pause(_ duration: Duration, _ work: StoreWork) async throws(StoreFault) {
        guard Moment.now + duration < work.deadline else {
            throw StoreFault(.interrupted, "The check ended before nothing was left of the aborted upload.")
        }
        do { try await Task.sleep(for: duration) } catch {
            throw StoreFault(.interrupted, "The check was interrupted.")
        }
    }
}
