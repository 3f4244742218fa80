import CLinux
import Crypto
import Glibc
import Synchronization

/// One session's merge as its blocking steps; `DirectoryStore` runs them one after the other on an I/O thread and keeps
/// the journal between them.
///
/// The part lives in `.reconciled/parts` below the target's root, so that publishing it is one rename. Its name holds the
/// claim's token, and whoever writes to it holds its lock: no two workers ever write to one file.
struct MergeJob: Sendable {
    /// Looked at between pieces: true when the task was cancelled or the lease is over.
    let isInterrupted: @Sendable () -> Bool
    let configuration: StoreConfiguration.Directory
    let upload: Upload
    /// How the part is made: as the session's chunks, or of the data file as one.
    private(set) var plan: ChunkPlan
    private(set) var copiesData = false
    let token: Int64
    let files: ChunkFiles
    let chunksRoot: OpenFile
    let targetRoot: OpenFile
    let target: (path: [String], file: String)

    static let pieceBytes = 1 << 20
    static let copyBytes = 16 << 20

    /// Ends a step early with what the merge comes to.
    struct Stop: Error {
        var outcome: MergeOutcome

        init(_ outcome: MergeOutcome) {
            self.outcome = outcome
        }
    }

    init(
        _ upload: Upload, _ plan: ChunkPlan, _ configuration: StoreConfiguration.Directory, token: Int64,
        isInterrupted: @escaping @Sendable () -> Bool
    ) throws {
        self.upload = upload
        self.plan = plan
        self.configuration = configuration
        self.token = token
        self.isInterrupted = isInterrupted
        target = try ChunkNaming.target(upload)
        chunksRoot = try openRoot(configuration.chunks)
        targetRoot = try openRoot(configuration.target)
        files = try ChunkFiles(upload, plan, configuration, root: chunksRoot)
    }

    /// The same, with the data file of an `offset` layout as its only chunk.
    func copyingData(by plan: ChunkPlan) -> MergeJob {
        var job = self
        job.plan = plan
        job.copiesData = true
        return job
    }

    /// Of an id, for the names of what is ours.
    var identity: String { SHA256.hash(data: Array(upload.id.utf8)).prefix(16).hexadecimal }

    func partName(_ token: Int64) -> String { "\(identity).\(token).part" }

    func partsDirectory(creating: Bool) throws(FileError) -> OpenFile {
        try targetRoot.directory([ChunkNaming.reserved, "parts"], creating: creating)
    }

    var location: String { ([configuration.target] + target.path + [target.file]).joined(separator: "/") }

    func targetStatus() throws(FileError) -> OpenFile.Status? {
        do throws(FileError) {
            return try targetRoot.directory(target.path).status(of: target.file)
        } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }

    func inventory() throws -> Inventory { try files.inventory(targetBytes: try targetStatus()?.bytes) }

    func checkInterruption() throws(Stop) {
        if isInterrupted() { throw Stop(.interrupted) }
    }

    // MARK: the part

    /// Opens this claim's part: the one that an earlier claim left, as far as it was noted, or a new one.
    func begin(after note: (fingerprint: String, token: Int64, mergedBytes: Int64)?) throws -> MergeState {
        let parts = try partsDirectory(creating: true)
        var state: MergeState
        if let note, note.token != token, note.mergedBytes > 0, note.mergedBytes <= plan.totalBytes,
            let old = try openIfThere(partName(note.token), in: parts), try old.status().bytes >= note.mergedBytes
        {
            if try old.lock() {
                // Its worker is gone. The lock goes along with the file.
                do throws(FileError) {
                    guard try parts.move(partName(note.token), to: parts, partName(token)) else {
                        throw FileError("renameat2", code: EEXIST)
                    }
                } catch {
                    // A later claim was faster.
                    guard error.isNotFound else { throw error }
                    throw Stop(.interrupted)
                }
                guard ftruncate(old.descriptor, off_t(note.mergedBytes)) == 0 else { throw FileError("ftruncate") }
                state = MergeState(part: old, partName: partName(token))
                try reserve(state)
                try rehash(&state, to: note.mergedBytes)
            } else {
                // Its worker is frozen, or writes on not knowing that its lease is over: what it noted is durable and
                // never written again. Without a name it cannot publish any more.
                state = try create(in: parts)
                try reserve(state)
                try copyPrefix(from: old, &state, bytes: note.mergedBytes)
                try parts.remove(partName(note.token))
            }
        } else {
            state = try create(in: parts)
            try reserve(state)
        }
        if upload.sha256 != nil, state.hasher == nil { state.hasher = SHA256() }
        return state
    }

    private func openIfThere(_ name: String, in parts: OpenFile) throws(FileError) -> OpenFile? {
        do throws(FileError) {
            return try parts.open(name, O_RDWR)
        } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }

    private func create(in parts: OpenFile) throws -> MergeState {
        let name = partName(token)
        try parts.remove(name)
        let part = try parts.open(name, O_RDWR | O_CREAT | O_EXCL)
        guard try part.lock() else { throw FileError("flock", code: EBUSY) }
        return MergeState(part: part, partName: name)
    }

    /// Takes the space before anything is written: a full disk is noticed here.
    private func reserve(_ state: MergeState) throws {
        let left = plan.totalBytes - state.position
        guard left > 0 else { return }
        let floor = configuration.minFreeBytes
        var free = try targetRoot.freeBytes()
        if free - left < floor {
            try Trash(root: chunksRoot).empty()
            free = try targetRoot.freeBytes()
        }
        guard free - left >= floor else {
            try discardPart(state)
            throw Stop(.noSpace(neededBytes: left + floor, freeBytes: free))
        }
        while linux_fallocate(
            state.part.descriptor, Int32(LINUX_FALLOC_FL_KEEP_SIZE), 0, plan.totalBytes) != 0
        {
            if errno == EINTR { continue }
            let error = FileError("fallocate")
            if error.isNoSpace {
                try discardPart(state)
                throw Stop(.noSpace(neededBytes: left, freeBytes: free))
            }
            guard errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL else { throw error }
            return
        }
    }

    /// Removes this claim's own part.
    func discardPart(_ state: MergeState) throws(FileError) {
        try partsDirectory(creating: false).remove(state.partName)
    }

    /// Removes parts that workers of this session left behind and nobody holds.
    func sweepParts() throws(FileError) {
        let parts = try partsDirectory(creating: true)
        for name in try parts.entries() where name.hasPrefix("\(identity).") && name.hasSuffix(".part") {
            guard let part = try openIfThere(name, in: parts), try part.lock() else { continue }
            try parts.remove(name)
        }
    }
}
