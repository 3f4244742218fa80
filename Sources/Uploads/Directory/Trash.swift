import Glibc

/// What was put out of the way: a folder for each session below `.reconciled/trash` in the root of the chunks, so that
/// putting something there is a rename.
struct Trash: Sendable {
    let root: OpenFile

    private static let path = [ChunkNaming.reserved, "trash"]

    private func folder(_ identity: String?, creating: Bool) throws(FileError) -> OpenFile? {
        do throws(FileError) {
            return try root.directory(Self.path + (identity.map { [$0] } ?? []), creating: creating)
        } catch {
            guard error.isNotFound, !creating else { throw error }
            return nil
        }
    }

    /// Moves the session's files here; returns the bytes of all that is here of it, earlier calls' included.
    ///
    /// - Parameters:
    ///   - isStale: whether a file is the session's. One that was written after it ended belongs to the next session of
    ///     the same name.
    ///   - mayGoOn: asked before each file.
    func take(
        _ files: ChunkFiles, identity: String, isStale: (OpenFile.Status) -> Bool, mayGoOn: () -> Bool
    ) throws -> Int64 {
        guard let directory = files.directory else { return try bytes(identity) }
        guard let folder = try folder(identity, creating: true) else { return 0 }
        for name in try files.names() {
            guard let status = try directory.status(of: name), status.kind != .directory, isStale(status) else {
                continue
            }
            guard mayGoOn() else { throw MergeJob.Stop(.interrupted) }
            var place = name
            var count = 0
            while try !directory.move(name, to: folder, place) {
                count += 1
                place = "\(name).\(count)"
            }
            // Someone may have put another file there between the look and the move, which itself counts as a change.
            if let moved = try folder.status(of: place), !moved.isSame(as: status), !isStale(moved) {
                _ = try folder.move(place, to: directory, name)
            }
        }
        try folder.synchronize()
        try directory.synchronize()
        if files.naming.ownsDirectory, let own = files.naming.path.last {
            let parent = try root.directory(Array(files.naming.path.dropLast()))
            do throws(FileError) {
                try parent.remove(own, isDirectory: true)
            } catch {
                // What else is in there is not ours.
                guard error.code == ENOTEMPTY || error.code == EEXIST else { throw error }
            }
        }
        return try bytes(identity)
    }

    /// Moves the session's chunks back to where they were. A chunk that came there since stays, and the one that it is in
    /// the way of is superseded: it goes, or it would come back one day as if it were the session's. Returns the bytes of
    /// what came back; nil: something else is in the place of the session's directory or of a chunk, which waits here.
    ///
    /// Each chunk stands for itself: whoever dies in the middle, or is not alone, leaves the rest to the next, and what is
    /// freed meanwhile is missing.
    ///
    /// - Parameter mayGoOn: asked before each file.
    func giveBack(_ files: ChunkFiles, identity: String, mayGoOn: () -> Bool) throws -> Int64? {
        guard let folder = try folder(identity, creating: false) else { return 0 }
        let found = try found(files, in: folder)
        guard !found.isEmpty else { return 0 }
        guard files.obstacle == nil, let directory = try files.directory ?? madeDirectory(of: files, identity) else {
            return nil
        }
        var sum: Int64 = 0
        var superseded: [(name: String, status: OpenFile.Status)] = []
        var waits = false
        for file in found {
            guard mayGoOn() else { throw MergeJob.Stop(.interrupted) }
            guard let status = try folder.status(of: file.name) else { continue }
            do throws(FileError) {
                if try folder.move(file.name, to: directory, file.place) {
                    sum = sum.addingSaturated(status.bytes)
                } else if let there = try directory.status(of: file.place), there.kind == .file,
                    file.wholeBytes.map({ there.bytes == $0 }) ?? (there.bytes >= status.bytes)
                {
                    superseded.append((file.name, status))
                } else {
                    // No chunk, or one that is not whole yet.
                    waits = true
                }
            } catch {
                guard error.code == ENOENT else { throw error }
                // It was freed, or brought back, at this very moment; or the directory was taken away, and is made anew.
                if try folder.status(of: file.name) != nil { throw MergeJob.Stop(.interrupted) }
            }
        }
        try directory.synchronize()
        for (name, status) in superseded {
            guard mayGoOn() else { throw MergeJob.Stop(.interrupted) }
            // Under its name may be by now what somebody else put here.
            if try folder.status(of: name) == status { try folder.remove(name) }
        }
        try folder.synchronize()
        do throws(FileError) {
            try self.folder(nil, creating: false)?.remove(identity, isDirectory: true)
        } catch {
            guard error.code == ENOTEMPTY || error.code == EEXIST else { throw error }
        }
        return waits ? nil : sum
    }

    /// A chunk of the session that is here.
    private struct Kept {
        var name: String
        var place: String
        /// How long the chunk is when it is whole; nil where the session has no such chunk.
        var wholeBytes: Int64?
        var isWhole: Bool
        var changed: Int64
        var count: Int
    }

    /// What is here of the session's chunks; of several in one place a whole one comes first, and the one that was put here
    /// last.
    private func found(_ files: ChunkFiles, in folder: OpenFile) throws(FileError) -> [Kept] {
        // An id that was used before may have left something here, which is another file's.
        let begin = files.upload.createdAt.microseconds.multipliedSaturated(by: 1_000)
        var found: [Kept] = []
        for name in try folder.entries() {
            guard let (index, place, count) = files.putAway(name), let status = try folder.status(of: name),
                status.changed >= begin
            else { continue }
            let wholeBytes = (0..<files.plan.count).contains(index) ? files.plan.bytes(at: index) : nil
            found.append(
                Kept(
                    name: name, place: place, wholeBytes: wholeBytes, isWhole: status.bytes == wholeBytes,
                    changed: status.changed, count: count))
        }
        return found.sorted { a, b in
            a.isWhole == b.isWhole
                ? (b.changed, b.count, a.name) < (a.changed, a.count, b.name)
                : a.isWhole
        }
    }

    /// The session's directory anew; nil if something else got its place. Its client may be another user: it is as open as
    /// the directory above it, from the moment on at which it has its name.
    private func madeDirectory(of files: ChunkFiles, _ identity: String) throws(FileError) -> OpenFile? {
        do throws(FileError) {
            guard files.naming.ownsDirectory, let own = files.naming.path.last else {
                return try root.directory(files.naming.path, creating: true)
            }
            let parent = try root.directory(Array(files.naming.path.dropLast()), creating: true)
            if try parent.status(of: own) == nil {
                // All who bring the same session back make the same one, and nothing is left where one of them dies.
                let workshop = try root.directory([ChunkNaming.reserved, "made"], creating: true)
                let made = try workshop.directory([identity], creating: true)
                try made.setAccess(as: parent)
                try made.synchronize()
                try workshop.moveDirectory(identity, to: parent, own)
            }
            // Also where another has just made it: it may have died before it could say so.
            try parent.synchronize()
            return try parent.open(own, O_RDONLY | O_DIRECTORY)
        } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }

    func bytes(_ identity: String) throws(FileError) -> Int64 {
        guard let folder = try folder(identity, creating: false) else { return 0 }
        var sum: Int64 = 0
        for name in try folder.entries() { sum = sum.addingSaturated(try folder.status(of: name)?.bytes ?? 0) }
        return sum
    }

    /// Frees what is here of the session; returns how many bytes that were.
    ///
    /// - Parameter step: called before each file.
    func purge(_ identity: String, step: () -> Void = {}) throws(FileError) -> Int64 {
        guard let folder = try folder(identity, creating: false) else { return 0 }
        var sum: Int64 = 0
        for name in try folder.entries() {
            step()
            sum = sum.addingSaturated(try folder.status(of: name)?.bytes ?? 0)
            try folder.remove(name)
        }
        try self.folder(nil, creating: false)?.remove(identity, isDirectory: true)
        return sum
    }

    /// Frees what is here, session by session, the one that lies longest first, until there is enough: space is needed,
    /// and all that is here was given up.
    ///
    /// - Parameter device: where the space is needed. What lies elsewhere stays, for it would be freed in vain.
    func relieve(device: UInt64, until isEnough: () throws(FileError) -> Bool) throws(FileError) {
        guard let folder = try folder(nil, creating: false), try folder.status().device == device else { return }
        var sessions: [(identity: String, modified: Int64)] = []
        for identity in try folder.entries() {
            guard let status = try folder.status(of: identity), status.kind == .directory else { continue }
            sessions.append((identity, status.modified))
        }
        for session in sessions.sorted(by: { $0.modified < $1.modified }) {
            do throws(FileError) {
                _ = try purge(session.identity)
            } catch {
                // Someone puts a session's files here at this moment.
                guard error.code == ENOTEMPTY || error.code == EEXIST else { throw error }
            }
            if try isEnough() { return }
        }
    }
}
