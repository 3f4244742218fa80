import CLinux
import Crypto
import Glibc
import JSON
import Synchronization

/// One session's merge as its blocking steps; `DirectoryStore` runs them one after the other on an I/O thread and keeps
/// the journal between them.
///
/// The part lives in `.reconciled/parts` below the target's root, so that publishing it is one rename; see `MergeJob+Part`.
struct MergeJob: Sendable {
    /// Looked at between pieces: true when the call is given up or the lease is over.
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
    let writeBehind: WriteBehind

    /// Read and written by hand at once: small enough to stay in the processor's cache between reading, hashing and writing.
    static let pieceBytes = 128 << 10
    /// Copied by the kernel at once, and handed to the disk.
    static let copyBytes: Int64 = 16 << 20

    /// Ends a step early with what the merge comes to.
    struct Stop: Error {
        var outcome: MergeOutcome

        init(_ outcome: MergeOutcome) {
            self.outcome = outcome
        }
    }

    init(
        _ upload: Upload, _ plan: ChunkPlan, _ configuration: StoreConfiguration.Directory, token: Int64,
        writeBehind: WriteBehind = WriteBehind(), isInterrupted: @escaping @Sendable () -> Bool
    ) throws {
        self.upload = upload
        self.plan = plan
        self.configuration = configuration
        self.token = token
        self.writeBehind = writeBehind
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

    var location: String { ([configuration.target] + target.path + [target.file]).joined(separator: "/") }

    func targetStatus() throws -> OpenFile.Status? {
        try targetDirectory()?.status(of: target.file)
    }

    /// The target's directory; nil if there is none.
    private func targetDirectory() throws -> OpenFile? {
        do throws(FileError) {
            return try targetRoot.directory(target.path)
        } catch {
            guard error.isNotFound else { throw try explained(error) }
            return nil
        }
    }

    /// The target's directory, made where there is none.
    func madeTargetDirectory() throws -> OpenFile {
        do throws(FileError) {
            return try targetRoot.directory(target.path, creating: true)
        } catch {
            if error.code == ENOTDIR { try checkWay() }
            throw try explained(error)
        }
    }

    /// A directory below the root that we may not enter is this row's trouble: others lie elsewhere.
    private func explained(_ error: FileError) throws(FileError) -> any Error {
        guard error.isForbidden, let first = target.path.first, try targetRoot.status(of: first) != nil else {
            return error
        }
        return ChunkFiles.unreadable("The target's directory “\(target.path.joined(separator: "/"))”", error)
    }

    /// Throws what stands where the target's directory should be: no file can be published there, however long one waits.
    /// What earlier claims left of the part goes, for humans may come late or never.
    func checkWay() throws {
        guard let obstacle = try obstacle() else { return }
        try sweepParts()
        throw Stop(.targetExists(obstacle.detail))
    }

    /// What is proved where no target was found: that none is there, or only that something is in its directory's place. A
    /// link is not followed, so what lies behind it may be this upload.
    func proofWithoutTarget() throws(FileError) -> CompletionProof {
        guard let obstacle = try obstacle() else { return .incomplete }
        return obstacle.isLink
            ? .undecided(obstacle.detail) : .different(reason: UploadReason.targetExists, obstacle.detail)
    }

    /// What is in the place of the target's directory, for humans; nil if nothing is.
    private func obstacle() throws(FileError) -> (detail: JSONValue, isLink: Bool)? {
        guard let (path, kind) = try targetRoot.obstacle(on: target.path) else { return nil }
        let isLink = kind == .link
        let detail = JSONValue.object([
            .init("directory", .string(path.joined(separator: "/"))),
            .init("problem", .string(isLink ? "a symbolic link" : "not a directory")),
        ])
        return (detail, isLink)
    }

    func look() throws -> ChunkFiles.Look {
        let targetBytes = try targetStatus()?.bytes
        return try files.look(targetBytes: targetBytes, step: checkInterruption)
    }

    func checkInterruption() throws(Stop) {
        if isInterrupted() { throw Stop(.interrupted) }
    }
}
