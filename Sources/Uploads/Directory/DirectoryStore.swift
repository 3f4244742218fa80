import Crypto
import JSON
import Reconciling
import Timeline

/// Chunks that are files below one directory, merged into files below another.
public struct DirectoryStore: ChunkStore {
    /// From one checkpoint to the next. A resumed merge copies at most so much again.
    static let checkpointBytes: Int64 = 64 << 20
    static let checkpointBytesMax: Int64 = 1 << 30

    private let configuration: StoreConfiguration.Directory
    private let threads: FileThreads
    private let writeBehind = WriteBehind()
    private let patience: Duration

    /// - Parameters:
    ///   - concurrency: calls that may wait for the disks at the same time; further ones wait for them.
    ///   - patience: how long a look may stand still, ten times that any other step, until the store counts as unavailable.
    public init(
        _ configuration: StoreConfiguration.Directory, concurrency: Int = 8, patience: Duration = .seconds(60)
    ) {
        self.configuration = configuration
        threads = FileThreads(count: concurrency)
        self.patience = patience
    }

    public func inspect(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> Result<Inventory, StoreFault> {
        await attempt(upload, plan, work, patience: patience, isReadOnly: true) { job in try job.look().inventory }
    }

    // MARK: merging

    public func merge(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> MergeOutcome {
        let call = call(work)
        do {
            let (job, look) = try await call.run {
                let job = try self.job(upload, plan, work, call)
                return (job, try job.look())
            }
            if look.inventory.targetBytes != nil { return try await mergeBeside(job, look, work, call) }
            guard look.inventory.missing.isEmpty else { return .chunksChanged }
            // Nothing is copied for a place that no file can have.
            try await call.run { try job.checkWay() }
            // Nothing was ever written of an empty file, and there may be no data file.
            guard configuration.layout == .offset, plan.count > 0 else {
                return try await mergeChunks(job, look, work, call)
            }
            if let outcome = try await mergeData(job, look, work, call) { return outcome }
            // The target is on another file system: the data file is copied as one chunk.
            guard let whole = ChunkPlan(totalBytes: plan.totalBytes, chunkBytes: max(1, plan.totalBytes), count: 1)
            else {
                return .chunksChanged
            }
            return try await mergeChunks(job.copyingData(by: whole), look, work, call)
        } catch let stop as MergeJob.Stop {
            return stop.outcome
        } catch let error as FileError where error.isNoSpace {
            // Also for what needs no bytes: a name in a directory, an inode.
            return .noSpace(neededBytes: plan.totalBytes, freeBytes: await freeBytes(call))
        } catch {
            return .fault(Self.fault(error))
        }
    }

    /// For people: zero where that cannot be told.
    private func freeBytes(_ call: FileWork) async -> Int64 {
        let path = configuration.target
        do { return try await call.run { try openRoot(path).freeBytes() } } catch { return 0 }
    }

    /// Something stands at the target's place: an interrupted call of ours put it there, or it has to be compared.
    private func mergeBeside(
        _ job: MergeJob, _ look: ChunkFiles.Look, _ work: StoreWork, _ call: FileWork
    ) async throws -> MergeOutcome {
        let earlier = MergeNote(work.state)
        let (outcome, target) = try await call.run { () throws -> (MergeOutcome, OpenFile.Status?) in
            guard let status = try job.targetStatus() else { return (.interrupted, nil) }
            guard let earlier, earlier.isPublished(status, beside: look), status.bytes == job.plan.totalBytes,
                job.upload.sha256 == nil || earlier.digest == job.upload.sha256
            else {
                let outcome = try job.compared()
                // For humans, who may come late or never: what earlier claims left of the part goes.
                if case .targetExists = outcome { try job.sweepParts() }
                return (outcome, status)
            }
            return (try job.confirmed(digest: job.upload.sha256), nil)
        }
        guard case .published = outcome, let target else { return outcome }
        // What its chunks are is known when their time has come.
        var note = MergeNote(
            fingerprint: look.inventory.fingerprint, token: work.token, mergedBytes: target.bytes,
            changedAt: look.changedAt, published: target)
        note.digest = job.upload.sha256
        return try await checkpoint(note, work) ? outcome : .interrupted
    }

    private func mergeChunks(
        _ job: MergeJob, _ look: ChunkFiles.Look, _ work: StoreWork, _ call: FileWork
    ) async throws -> MergeOutcome {
        var note = MergeNote(
            fingerprint: look.inventory.fingerprint, token: work.token, mergedBytes: 0, changedAt: look.changedAt)
        let earlier = MergeNote(work.state).flatMap { $0.fingerprint == note.fingerprint ? $0 : nil }
        var state = try await call.run { try job.begin(after: earlier) }
        let total = job.plan.totalBytes
        let interval = Self.checkpointBytes(ofFile: total)
        var isAnchored = false
        while state.position < total {
            let (current, mustAnchor) = (state, !isAnchored)
            let end = min(total, (current.position / interval + 1) * interval)
            state = try await call.run {
                var next = current
                try job.copy(&next, to: end)
                if mustAnchor, end < total { try job.anchorPart() }
                return next
            }
            guard state.position < total else { break }
            isAnchored = true
            note.mergedBytes = state.position
            guard try await checkpoint(note, work) else { return try await lost(job, state, call) }
            state.notedBytes = state.position
        }
        let whole = state
        let digest = try await call.run { try job.verify(whole) }
        // The last note: whoever finds the part goes on behind it, and whoever finds the target knows it.
        note.published = try await call.run { .init(try whole.part.status()) }
        note.digest = digest
        note.mergedBytes = total
        guard try await checkpoint(note, work) else { return try await lost(job, whole, call) }
        let fingerprint = note.fingerprint
        return try await call.run {
            // A chunk that was sent again meanwhile is not in the part.
            guard try job.files.look(targetBytes: nil, step: job.checkInterruption).inventory.fingerprint == fingerprint
            else {
                try job.discardPart(whole)
                return .chunksChanged
            }
            return try job.publish(whole, digest: digest)
        }
    }

    /// Half of a large file: each checkpoint has the copying wait for the disk and for the database.
    static func checkpointBytes(ofFile total: Int64) -> Int64 {
        let half = total / 2 / MergeJob.copyBytes * MergeJob.copyBytes
        return min(max(half, checkpointBytes), checkpointBytesMax)
    }

    /// The lease is another's, who goes on with what was noted; what was not is of no use to anyone.
    private func lost(_ job: MergeJob, _ state: MergeState, _ call: FileWork) async throws -> MergeOutcome {
        if state.notedBytes == 0 { try await call.run { try job.discardPart(state) } }
        return .interrupted
    }

    /// Publishes the data file by a rename; nil if it cannot be renamed to there.
    private func mergeData(
        _ job: MergeJob, _ look: ChunkFiles.Look, _ work: StoreWork, _ call: FileWork
    ) async throws -> MergeOutcome? {
        let fingerprint = look.inventory.fingerprint
        let status = try await call.run { () throws -> OpenFile.Status in
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
            guard try job.files.look(targetBytes: nil, step: job.checkInterruption).inventory.fingerprint == fingerprint
            else {
                throw MergeJob.Stop(.chunksChanged)
            }
            return status
        }
        var note = MergeNote(
            fingerprint: fingerprint, token: work.token, mergedBytes: 0, changedAt: look.changedAt, published: status)
        note.digest = job.upload.sha256
        guard try await checkpoint(note, work) else { return .interrupted }
        return try await call.run { try job.publishData() }
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
        await attempt(upload, plan, work, isReadOnly: true) { job in
            guard let status = try job.targetStatus() else { return try job.proofWithoutTarget() }
            if let difference = job.difference(status) {
                // What a link leads to was not looked at.
                return status.kind == .link
                    ? .undecided(difference.detail) : .different(reason: difference.reason, difference.detail)
            }
            let directory = try job.targetRoot.directory(job.target.path)
            let file = try directory.open(job.target.file, 0)
            // Chunks go on the strength of this: whoever put the file there may not have made it durable.
            func complete(etag: String?) throws -> CompletionProof {
                try file.synchronize()
                try directory.synchronize()
                return .complete(Publication(location: job.location, etag: etag, bytes: status.bytes))
            }
            if let expected = upload.sha256 {
                let actual = try job.hash(file, bytes: status.bytes).finalize().hexadecimal
                guard actual == expected else {
                    return .different(
                        reason: UploadReason.digestMismatch, MergeJob.digests(expected: expected, target: actual))
                }
                return try complete(etag: expected)
            }
            let look = try job.look()
            if let note = MergeNote(work.state), note.isPublished(status, beside: look) {
                return try complete(etag: nil)
            }
            let isWhole = look.inventory.missing.isEmpty
            // Where a chunk's marker is missing, the data file tells nothing of its place.
            if isWhole || self.configuration.layout == .chunks,
                let place = try job.firstDifference(file, skipsMissing: !isWhole)
            {
                return .different(
                    reason: UploadReason.targetExists, MergeJob.detail(("first_difference_at", place)))
            }
            return isWhole ? try complete(etag: nil) : .undecided(job.undecided(status, look.inventory))
        }
    }

    public func reclaim(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> Result<Int64, StoreFault> {
        // Files that an id names are no other session's. Of those that a name alone tells apart, what was written after
        // the session ended belongs to the next one of that name.
        let isOwn = configuration.pattern.contains("{id}")
        let note = MergeNote(work.state)
        let end = upload.lastActivityAt.map { $0.microseconds.addingSaturated(1).multipliedSaturated(by: 1_000) }
        let taken = await attempt(upload, plan, work) { job in
            // Their own file system's clock tells best: a client may have given a chunk any time, one to come or one that
            // it kept. Only where no merge of ours noted it, the last activity has to do.
            let mergedAt = try note?.chunksChangedAt(of: job.targetStatus())
            let bytes = try Trash(root: job.chunksRoot).take(
                job.files, identity: job.identity,
                isStale: { status in
                    if isOwn { return true }
                    if let mergedAt { return status.changed <= mergedAt }
                    // Where nobody ever saw a chunk, none was there.
                    return end.map { min(status.modified, status.changed) <= $0 } ?? false
                },
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

    public func restore(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> Result<Int64?, StoreFault> {
        // Markers are about the data file that they were put away with, and nothing tells which that was: an `offset`
        // session begins anew, rather than with chunks that are not in its file.
        guard configuration.layout == .chunks else { return .success(0) }
        return await attempt(upload, plan, work) { job in
            try Trash(root: job.chunksRoot).giveBack(
                job.files, identity: job.identity, mayGoOn: { !job.isInterrupted() })
        }
    }

    public func purge(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> Result<Int64, StoreFault> {
        await attempt(upload, plan, work) { job in
            try Trash(root: job.chunksRoot).purge(job.identity, step: { _ = job.isInterrupted() })
        }
    }

    // MARK: in common

    private func call(_ work: StoreWork) -> FileWork {
        FileWork(on: threads, deadline: work.deadline, stallLimit: patience * 10)
    }

    /// - Parameter isReadOnly: a lease is needed for what changes something; a dry run has none.
    private func job(
        _ upload: Upload, _ plan: ChunkPlan, _ work: StoreWork, _ call: FileWork, isReadOnly: Bool = false
    ) throws -> MergeJob {
        try MergeJob(
            upload, plan, configuration, token: work.token, writeBehind: writeBehind,
            isInterrupted: { call.mustEnd() || (!isReadOnly && work.leaseRemaining() <= .zero) })
    }

    private func attempt<T: Sendable>(
        _ upload: Upload, _ plan: ChunkPlan, _ work: StoreWork, patience: Duration? = nil, isReadOnly: Bool = false,
        _ body: @escaping @Sendable (MergeJob) throws -> T
    ) async -> Result<T, StoreFault> {
        let call =
            patience.map { FileWork(on: threads, deadline: work.deadline, stallLimit: $0) } ?? call(work)
        do {
            return .success(
                try await call.run { try body(try self.job(upload, plan, work, call, isReadOnly: isReadOnly)) })
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
