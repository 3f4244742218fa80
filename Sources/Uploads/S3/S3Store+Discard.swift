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
        let noted = S3MergeState(work.state, of: session)
        var bytes = noted?.discardedBytes ?? 0
        guard var listing = try await parts(session, work) else { return Discarded(bytes: bytes, isKept: false) }
        // There are stores where aborting what was completed takes the object's data along.
        if case .complete = try await proof(session, listing, work) {
            throw StoreFault(
                .invalid(reason: UploadReason.targetExists),
                "The object is complete, so its multipart upload, which is there still, was not aborted.")
        }
        for round in 0..<Self.roundsMax {
            bytes = max(bytes, listing.bytes)
            var state = noted ?? S3MergeState(session)
            state.discardedBytes = bytes
            guard work.leaseRemaining() > client.timeout, await note(state, work) else {
                throw StoreFault(.interrupted, "The lease ended before the upload was aborted.")
            }
            if case .failure(let failure) = await client.abort(session.key, uploadID: session.uploadID, work) {
                throw failure.fault
            }
            guard let rest = try await parts(session, work), !rest.parts.isEmpty else {
                return Discarded(bytes: bytes, isKept: false)
            }
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
