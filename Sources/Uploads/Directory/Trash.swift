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

    /// Moves the session's chunks back to where they were. What came there since stays, and what it is in the way of stays
    /// here, to go with the session in the end. Returns the bytes of what came back.
    ///
    /// Each chunk stands for itself: whoever dies in the middle, or is not alone, leaves the rest to the next, and what is
    /// freed meanwhile is missing.
    ///
    /// - Parameter mayGoOn: asked before each file.
    func giveBack(_ files: ChunkFiles, identity: String, mayGoOn: () -> Bool) throws -> Int64 {
        guard let folder = try folder(identity, creating: false) else { return 0 }
        // An id that was used before may have left something here, which is another file's.
        let begin = files.upload.createdAt.microseconds.multipliedSaturated(by: 1_000)
        let found = try files.places(of: try folder.entries()).filter { file in
            guard let status = try folder.status(of: file.name) else { return false }
            return status.changed >= begin
        }
        guard !found.isEmpty else { return 0 }
        if let obstacle = files.obstacle { throw StoreFault(.unreadable, obstacle) }
        let directory = try files.directory ?? madeDirectory(of: files)
        var sum: Int64 = 0
        for file in found {
            guard mayGoOn() else { throw MergeJob.Stop(.interrupted) }
            guard let status = try folder.status(of: file.name) else { continue }
            do throws(FileError) {
                if try folder.move(file.name, to: directory, file.place) { sum = sum.addingSaturated(status.bytes) }
            } catch {
                // It was freed, or brought back, at this very moment.
                guard error.code == ENOENT else { throw error }
            }
        }
        try directory.synchronize()
        try folder.synchronize()
        do throws(FileError) {
            try self.folder(nil, creating: false)?.remove(identity, isDirectory: true)
        } catch {
            guard error.code == ENOTEMPTY || error.code == EEXIST else { throw error }
        }
        return sum
    }

    /// The session's directory anew. Its client may be another user: it is as open as the directory above it.
    private func madeDirectory(of files: ChunkFiles) throws(FileError) -> OpenFile {
        guard files.naming.ownsDirectory, let own = files.naming.path.last else {
            return try root.directory(files.naming.path, creating: true)
        }
        let parent = try root.directory(Array(files.naming.path.dropLast()), creating: true)
        try parent.makeDirectory(own)
        return try parent.open(own, O_RDONLY | O_DIRECTORY)
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
