import Crypto
import JSON
import Reconciling
import Timeline

/// Chunks that are files below one directory, merged into files below another.
public struct DirectoryStore: ChunkStore {
    /// A resumed merge copies at most so much again.
    public static let checkpointBytes: Int64 = 64 << 20

    private let configuration: StoreConfiguration.Directory

    public init(_ configuration: StoreConfiguration.Directory) {
        self.configuration = configuration
    }

    public func inspect(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> Result<Inventory, StoreFault> {
        await attempt(upload, plan, work) { job in try job.inventory() }
    }

    // MARK: merging

    public func merge(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> MergeOutcome {
        let blocking = BlockingWork()
        do {
            return try await merge(upload, plan, work, blocking)
        } catch let stop as MergeJob.Stop {
            return stop.outcome
        } catch {
            return .fault(Self.fault(error))
        }
    }

    private func merge(
        _ upload: Upload, _ plan: ChunkPlan, _ work: StoreWork, _ blocking: BlockingWork
    ) async throws -> MergeOutcome {
        let (job, inventory) = try await blocking.run {
            let job = try self.job(upload, plan, work, blocking)
            return (job, try job.inventory())
        }
        if inventory.targetBytes != nil {
            return try await blocking.run {
                // The data file of an interrupted call has become the target: nothing else is left to compare it with.
                if let status = try job.targetStatus(), MergeNote.isPublished(status, work.state) {
                    return .published(Publication(location: job.location, etag: upload.sha256, bytes: status.bytes))
                }
                return try job.compared()
            }
        }
        guard inventory.missing.isEmpty else { return .chunksChanged }
        if configuration.layout == .offset {
            if let outcome = try await mergeData(job, inventory, work, blocking) { return outcome }
            // The target is on another file system: the data file is copied as one chunk.
            guard let whole = ChunkPlan(totalBytes: plan.totalBytes, chunkBytes: max(1, plan.totalBytes), count: 1)
            else {
                return .chunksChanged
            }
            return try await mergeChunks(job.copyingData(by: whole), inventory, work, blocking)
        }
        return try await mergeChunks(job, inventory, work, blocking)
    }

    private func mergeChunks(
        _ job: MergeJob, _ inventory: Inventory, _ work: StoreWork, _ blocking: BlockingWork
    ) async throws -> MergeOutcome {
        var earlier = MergeNote.token(work.state)
        if earlier?.fingerprint != inventory.fingerprint { earlier = nil }
        let note = earlier
        var state = try await blocking.run { try job.begin(after: note) }
        let total = job.plan.totalBytes
        while state.position < total {
            let current = state
            let end = min(total, (current.position / Self.checkpointBytes + 1) * Self.checkpointBytes)
            state = try await blocking.run {
                var next = current
                try job.copy(&next, to: end)
                return next
            }
            if state.position < total {
                let noted = MergeNote(
                    fingerprint: inventory.fingerprint, token: work.token, mergedBytes: state.position)
                guard try await checkpoint(noted, work) else {
                    let lost = state
                    try await blocking.run { try job.discardPart(lost) }
                    return .interrupted
                }
            }
        }
        let whole = state
        let digest = try await blocking.run { try job.verify(whole) }
        return try await blocking.run {
            // A chunk that was sent again meanwhile is not in the part.
            guard try job.files.inventory(targetBytes: nil).fingerprint == inventory.fingerprint else {
                try job.discardPart(whole)
                return .chunksChanged
            }
            try job.checkInterruption()
            return try job.publish(whole, digest: digest)
        }
    }

    /// Publishes the data file by a rename; nil if it cannot be renamed to there.
    private func mergeData(
        _ job: MergeJob, _ inventory: Inventory, _ work: StoreWork, _ blocking: BlockingWork
    ) async throws -> MergeOutcome? {
        let status = try await blocking.run { () throws -> OpenFile.Status in
            guard let (file, status) = try job.files.open(nil, bytes: job.plan.totalBytes) else {
                throw MergeJob.Stop(.chunksChanged)
            }
            if let expected = job.upload.sha256 {
                let actual = try job.hash(file, bytes: status.bytes).finalize().hexadecimal
                guard actual == expected else {
                    throw MergeJob.Stop(
                        .digestMismatch(
                            .object([
                                .init("expected_sha256", .string(expected)), .init("actual_sha256", .string(actual)),
                            ])))
                }
            }
            try file.synchronize()
            guard try job.files.inventory(targetBytes: nil).fingerprint == inventory.fingerprint else {
                throw MergeJob.Stop(.chunksChanged)
            }
            return status
        }
        // Once renamed, the file is known by this alone.
        let note = MergeNote(
            fingerprint: inventory.fingerprint, token: work.token, mergedBytes: 0, published: status)
        guard try await checkpoint(note, work) else { return .interrupted }
        return try await blocking.run {
            try job.checkInterruption()
            return try job.publishData()
        }
    }

    private func checkpoint(_ note: MergeNote, _ work: StoreWork) async throws -> Bool {
        do {
            return try await work.checkpoint(note.mergedBytes, note.json)
        } catch {
            // The lease may be ours still, as when the poller shuts down: what is noted is kept for the next claim.
            throw StoreFault(.interrupted, "The checkpoint was not written.")
        }
    }

    // MARK: afterwards

    public func proof(
        _ upload: Upload, plan: ChunkPlan, work: StoreWork
    ) async -> Result<CompletionProof, StoreFault> {
        await attempt(upload, plan, work) { job in
            guard let status = try job.targetStatus(), status.kind == .file, status.bytes == plan.totalBytes else {
                return .incomplete
            }
            let file = try job.targetRoot.directory(job.target.path).open(job.target.file, 0)
            if let expected = upload.sha256 {
                guard try job.hash(file, bytes: status.bytes).finalize().hexadecimal == expected else {
                    return .incomplete
                }
                return .complete(Publication(location: job.location, etag: expected, bytes: status.bytes))
            }
            if MergeNote.isPublished(status, work.state) {
                return .complete(Publication(location: job.location, etag: nil, bytes: status.bytes))
            }
            if self.configuration.layout == .chunks, try job.firstDifference(file, skipsMissing: true) != nil {
                return .incomplete
            }
            return .undecided(MergeJob.detail(("target_bytes", status.bytes)))
        }
    }

    public func reclaim(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> Result<Int64, StoreFault> {
        // What was written after the session ended belongs to the next one of that name.
        let taken = await attempt(upload, plan, work) { job in
            let end = upload.lastActivityAt.map { ($0.microseconds + 1) * 1_000 }
            let bytes = try Trash(root: job.chunksRoot).take(
                job.files, identity: job.identity, isStale: { status in end.map { status.modified <= $0 } ?? true },
                mayGoOn: { !job.isInterrupted() })
            try job.sweepParts()
            return bytes
        }
        guard case .success(let found) = taken else { return taken }
        // Counted before anything is freed: an interrupted call's count is not lost.
        let bytes = max(found, work.state?["reclaimed_bytes"]?.integer ?? 0)
        do {
            let note = JSONValue.object([.init("reclaimed_bytes", .number(String(bytes)))])
            guard try await work.checkpoint(plan.totalBytes, note) else {
                return .failure(StoreFault(.interrupted, "The lease was lost."))
            }
        } catch {
            return .failure(StoreFault(.interrupted, "The checkpoint was not written."))
        }
        return await purge(upload, plan: plan, work: work).map { _ in bytes }
    }

    public func discard(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> Result<Discarded, StoreFault> {
        await attempt(upload, plan, work) { job in
            let bytes = try Trash(root: job.chunksRoot).take(
                job.files, identity: job.identity, isStale: { _ in true }, mayGoOn: { !job.isInterrupted() })
            try job.sweepParts()
            return Discarded(bytes: bytes, isKept: bytes > 0)
        }
    }

    public func purge(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> Result<Int64, StoreFault> {
        await attempt(upload, plan, work) { job in try Trash(root: job.chunksRoot).purge(job.identity) }
    }

    // MARK: in common

    private func job(
        _ upload: Upload, _ plan: ChunkPlan, _ work: StoreWork, _ blocking: BlockingWork
    ) throws -> MergeJob {
        try MergeJob(
            upload, plan, configuration, token: work.token,
            isInterrupted: { blocking.isInterrupted || work.leaseRemaining() <= .zero })
    }

    private func attempt<T: Sendable>(
        _ upload: Upload, _ plan: ChunkPlan, _ work: StoreWork, _ body: @escaping @Sendable (MergeJob) throws -> T
    ) async -> Result<T, StoreFault> {
        let blocking = BlockingWork()
        do {
            return .success(
                try await blocking.run {
                    let job = try self.job(upload, plan, work, blocking)
                    return try body(job)
                })
        } catch {
            return .failure(Self.fault(error))
        }
    }

    private static func fault(_ error: any Error) -> StoreFault {
        switch error {
        case let fault as StoreFault: fault
        case let error as FileError: error.fault("The files cannot be worked with")
        case let stop as MergeJob.Stop:
            if case .fault(let fault) = stop.outcome {
                fault
            } else {
                StoreFault(.interrupted, "The work was interrupted.")
            }
        default: StoreFault(.interrupted, "The work was interrupted.")
        }
    }
}
