import CLinux
import Crypto
import Glibc
import Timeline

/// The part: the file that grows, and becomes the target by a rename.
///
/// Its name holds the claim's token, and whoever writes to it holds its lock: no two workers ever write to one file. A
/// claim takes away the names of all parts of its session but its own before it begins: a worker that was frozen
/// meanwhile finds nothing that it could publish.
extension MergeJob {
    /// What no worker has touched for so long is nobody's: its session was removed.
    private static let abandonedAfterSeconds: Int64 = 7 * 86_400
    private static let lockPatience = Duration.seconds(3)

    func partsDirectory(creating: Bool) throws(FileError) -> OpenFile {
        try targetRoot.directory([ChunkNaming.reserved, "parts"], creating: creating)
    }

    /// Opens this claim's part: the one that an earlier claim left, as far as it was noted, or a new one.
    func begin(after note: MergeNote?) throws -> MergeState {
        let parts = try existingParts()
        let left = try partsLeft(in: parts)
        try checkInterruption()
        var usable = note
        if let note, note.mergedBytes <= 0 || note.mergedBytes > plan.totalBytes { usable = nil }
        // The worker that noted it may be dead as well as the one that took over from it.
        let heirs = left.filter { name in usable.map { name.isVouchedFor(by: $0.token) } ?? false }
        let heir = heirs.max { $0.token < $1.token }
        for name in left where name != heir { try dismiss(name, in: parts) }
        var state: MergeState
        if let note = usable, let heir, let old = try openIfThere(heir.text, in: parts),
            try old.status().bytes >= note.mergedBytes
        {
            state =
                try isFree(old, heir)
                ? try adopt(old, heir, note, in: parts) : try copied(from: old, heir, note, in: parts)
        } else {
            if let heir { try dismiss(heir, in: parts) }
            state = try create(in: parts)
            try reserve(state)
        }
        if upload.sha256 != nil, state.hasher == nil { state.hasher = SHA256() }
        return state
    }

    private func existingParts() throws(FileError) -> OpenFile {
        do throws(FileError) {
            return try partsDirectory(creating: false)
        } catch {
            guard error.isNotFound else { throw error }
            return try partsDirectory(creating: true)
        }
    }

    /// The session's parts that others left. What nobody's session will ever ask for is removed on the way.
    private func partsLeft(in parts: OpenFile) throws(FileError) -> [PartName] {
        var left: [PartName] = []
        let now = Timestamp.wallClock.microseconds / 1_000_000
        for text in try parts.entries() {
            guard let name = PartName(text) else { continue }
            if name.identity == identity {
                left.append(name)
            } else if let status = try parts.status(of: text),
                now - status.modified / 1_000_000_000 > Self.abandonedAfterSeconds,
                let part = try openIfThere(text, in: parts), try part.lock()
            {
                try parts.remove(text)
            }
        }
        return left
    }

    /// Takes away the name of a part that is not ours. Tokens only grow: a live worker with a later one has our lease.
    private func dismiss(_ name: PartName, in parts: OpenFile) throws {
        if name.token > token, let part = try openIfThere(name.text, in: parts), try !part.lock() {
            throw Stop(.interrupted)
        }
        try parts.remove(name.text)
    }

    /// Takes the lock, and waits a little for it: a poller that leaves hands its rows back at once, while its thread may
    /// sit in a last fdatasync. To copy all that is there instead would take far longer.
    private func isFree(_ old: OpenFile, _ name: PartName) throws -> Bool {
        let end = Moment.now + Self.lockPatience
        while try !old.lock() {
            // A later claim waits for nobody.
            guard name.token < token, Moment.now < end else { return false }
            try checkInterruption()
            usleep(20_000)
        }
        return true
    }

    /// Goes on with a part whose worker is gone. The lock goes along with the file.
    private func adopt(_ old: OpenFile, _ name: PartName, _ note: MergeNote, in parts: OpenFile) throws -> MergeState {
        let ours = PartName(identity, token: token, origin: note.token).text
        do throws(FileError) {
            guard try parts.move(name.text, to: parts, ours) else { throw FileError("renameat2", code: EEXIST) }
        } catch {
            // A later claim was faster.
            guard error.isNotFound else { throw error }
            throw Stop(.interrupted)
        }
        var state = MergeState(part: old, partName: ours, notedBytes: note.mergedBytes)
        try giveBack(state)
        try reserve(state)
        try rehash(&state, to: note.mergedBytes)
        return state
    }

    /// Goes on with a copy of what a worker is known to have made durable that is frozen, or writes on not knowing that
    /// its lease is over: it never writes to those bytes again. Without a name it cannot publish any more.
    private func copied(
        from old: OpenFile, _ name: PartName, _ note: MergeNote, in parts: OpenFile
    ) throws -> MergeState {
        guard name.token < token else { throw Stop(.interrupted) }
        var state = try create(in: parts)
        try reserve(state)
        try copyPrefix(from: old, &state, bytes: note.mergedBytes)
        let ours = PartName(identity, token: token, origin: note.token).text
        guard try parts.move(state.partName, to: parts, ours) else { throw FileError("renameat2", code: EEXIST) }
        state.partName = ours
        state.notedBytes = note.mergedBytes
        try parts.remove(name.text)
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
        let name = PartName(identity, token: token).text
        let part = try parts.open(name, O_RDWR | O_CREAT | O_EXCL)
        guard try part.lock() else { throw FileError("flock", code: EBUSY) }
        return MergeState(part: part, partName: name)
    }

    /// Takes the space before anything is written: a full disk is noticed here.
    private func reserve(_ state: MergeState) throws {
        let left = plan.totalBytes - state.notedBytes
        guard left > 0 else { return }
        let floor = configuration.minFreeBytes
        let target = try state.part.status()
        var free = try targetRoot.freeBytes()
        if free - left < floor {
            try Trash(root: chunksRoot).relieve(device: target.device) { () throws(FileError) in
                free = try targetRoot.freeBytes()
                return free - left >= floor
            }
        }
        guard free - left >= floor else {
            try setBack(state)
            throw Stop(.noSpace(neededBytes: left.addingSaturated(floor), freeBytes: free))
        }
        while linux_fallocate(
            state.part.descriptor, Int32(LINUX_FALLOC_FL_KEEP_SIZE), 0, plan.totalBytes) != 0
        {
            if errno == EINTR { continue }
            let error = FileError("fallocate")
            if error.isNoSpace {
                try setBack(state)
                throw Stop(.noSpace(neededBytes: left, freeBytes: free))
            }
            guard [EOPNOTSUPP, ENOSYS, EINVAL].contains(error.code) else { throw error }
            return
        }
    }

    /// The part's name is as durable as what is in it.
    func anchorPart() throws(FileError) { try partsDirectory(creating: true).synchronize() }

    /// Keeps what a checkpoint names of the part, for whoever comes next, and nothing else.
    func setBack(_ state: MergeState) throws(FileError) {
        guard state.notedBytes > 0 else { return try discardPart(state) }
        try giveBack(state)
    }

    /// Cuts the part to what was noted, and frees the space that was taken for the rest.
    private func giveBack(_ state: MergeState) throws(FileError) {
        while ftruncate(state.part.descriptor, off_t(state.notedBytes)) != 0 {
            guard errno == EINTR else { throw FileError("ftruncate") }
        }
    }

    /// Removes this claim's own part.
    func discardPart(_ state: MergeState) throws(FileError) {
        try partsDirectory(creating: false).remove(state.partName)
    }

    /// Removes parts that workers of this session left behind and nobody holds.
    func sweepParts() throws(FileError) {
        let parts: OpenFile
        do throws(FileError) {
            parts = try partsDirectory(creating: false)
        } catch {
            guard error.isNotFound else { throw error }
            return
        }
        for text in try parts.entries() where PartName(text)?.identity == identity {
            guard let part = try openIfThere(text, in: parts), try part.lock() else { continue }
            try parts.remove(text)
        }
    }
}
