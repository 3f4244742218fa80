import Crypto
import Glibc
import Timeline

/// The files of one session, found by name and never read here.
struct ChunkFiles: Sendable {
    let upload: Upload
    let plan: ChunkPlan
    let naming: ChunkNaming
    let layout: StoreConfiguration.Directory.Layout
    /// Nil while the session has no directory.
    let directory: OpenFile?
    /// Why it has none, if something else is in its place.
    let obstacle: String?

    /// Of how many missing chunks a misnamed file is looked for in a directory shared with others. All are named alike.
    private static let probesMax = 3

    init(
        _ upload: Upload, _ plan: ChunkPlan, _ configuration: StoreConfiguration.Directory, root: OpenFile
    ) throws {
        self.upload = upload
        self.plan = plan
        layout = configuration.layout
        naming = try ChunkNaming(upload, pattern: configuration.pattern, firstIndex: configuration.firstIndex)
        do throws(FileError) {
            directory = try root.directory(naming.path)
            obstacle = nil
        } catch {
            if error.isForbidden, try Self.isOfSession(naming.path, configuration.pattern, root) {
                throw Self.unreadable("The session's directory “\(naming.path.joined(separator: "/"))”", error)
            }
            guard error.isNotFound else { throw error }
            directory = nil
            obstacle = try root.obstacle(on: naming.path).map { found in
                "“\(found.path.joined(separator: "/"))” is in the place of the session's directory: a file, or a symbolic "
                    + "link, which is not followed."
            }
        }
    }

    /// Whether a directory that may not be entered is one that the session's id or name leads to; what the pattern itself
    /// names is the store's.
    private static func isOfSession(_ path: [String], _ pattern: String, _ root: OpenFile) throws(FileError) -> Bool {
        let fixed = pattern.split(separator: "/").prefix { !$0.contains("{") }.count
        guard fixed < path.count else { return false }
        return try root.directory(Array(path.prefix(fixed))).status(of: path[fixed]) != nil
    }

    /// The chunks as they are, and by the clock of their file system when any of them changed last: in nanoseconds since
    /// 1970, nil if there is none. No client can set that time.
    struct Look: Sendable {
        var inventory: Inventory
        var changedAt: Int64?
    }

    /// - Parameters:
    ///   - targetBytes: the size of what stands at the target's place.
    ///   - step: called before each chunk.
    func look(targetBytes: Int64?, step: () throws -> Void) throws -> Look {
        var inventory = Inventory(received: 0, receivedBytes: 0, targetBytes: targetBytes, obstacle: obstacle)
        var digest = SHA256()
        var newest = (modified: Int64.min, changed: Int64.min)
        func note(_ number: Int, _ status: OpenFile.Status) {
            newest = (max(newest.modified, status.modified), max(newest.changed, status.changed))
            var identity = (Int64(number), status.inode, status.bytes, status.modified, status.changed)
            unsafe withUnsafeBytes(of: &identity) { unsafe digest.update(bufferPointer: $0) }
        }
        let data = layout == .offset ? try directory?.status(of: naming.dataName) : nil
        if let data { note(-1, data) }
        let strangers = try strangers()
        // Whoever sends files under wrong names is not idle; but such a file is no chunk, and says nothing of one.
        var misnamedAt = strangers.twinsModified
        var probes = Self.probesMax
        for index in 0..<plan.count {
            try step()
            let number = index + naming.firstIndex
            guard let status = try directory?.status(of: naming.fileName(index)) else {
                inventory.missing.append(number)
                if strangers.twins.contains(index) {
                    inventory.oddities.append(ChunkOddity(number: number, kind: .misnamed))
                } else if let padded = try padded(index, &probes) {
                    misnamedAt = max(misnamedAt, padded.modified)
                    inventory.oddities.append(ChunkOddity(number: number, kind: .misnamed))
                }
                continue
            }
            note(index, status)
            if let kind = oddity(of: status, at: index, data: data) {
                inventory.oddities.append(ChunkOddity(number: number, kind: kind, bytes: status.bytes))
                inventory.missing.append(number)
            } else if strangers.twins.contains(index) {
                inventory.oddities.append(ChunkOddity(number: number, kind: .duplicate, bytes: status.bytes))
                inventory.missing.append(number)
            } else {
                inventory.received += 1
                inventory.receivedBytes += plan.bytes(at: index)
            }
        }
        for index in strangers.extras {
            inventory.oddities.append(ChunkOddity(number: index + naming.firstIndex, kind: .extra))
        }
        if newest.modified > .min, layout == .offset, data?.kind != .file { inventory.obstacle = withoutData(data) }
        let modified = max(newest.modified, misnamedAt)
        if modified > .min {
            // The files' clock is this machine's, as near as there is one.
            // As it stands, also in the future: the rules know what to make of that.
            inventory.lastActivityAt = Timestamp(microseconds: modified / 1_000)
            let touched = Timestamp(microseconds: max(modified, newest.changed) / 1_000)
            inventory.quietFor = max(.zero, .wallClock - touched)
        } else if plan.count == 0 {
            inventory.quietFor = .seconds(86_400)
        }
        inventory.fingerprint = digest.finalize().prefix(16).hexadecimal
        return Look(inventory: inventory, changedAt: newest.changed > .min ? newest.changed : nil)
    }

    private func oddity(of status: OpenFile.Status, at index: Int, data: OpenFile.Status?) -> ChunkOddity.Kind? {
        guard status.kind == .file else { return .notAFile }
        let expected = plan.bytes(at: index)
        guard layout == .chunks else {
            // A marker's own content means nothing.
            guard let data, data.kind == .file else { return .short }
            if data.bytes > plan.totalBytes { return .oversize }
            return plan.offset(of: index) + expected <= data.bytes ? nil : .short
        }
        return status.bytes < expected ? .short : status.bytes > expected ? .oversize : nil
    }

    private func withoutData(_ data: OpenFile.Status?) -> String {
        let name = "“\((naming.path + [naming.dataName]).joined(separator: "/"))”"
        return data == nil
            ? "There is no data file \(name), which the chunks' markers are about."
            : "\(name) is in the place of the data file, and is no file (a symbolic link is not followed)."
    }

    /// In a directory shared with others: a chunk that is not there, under a name that pads its number with zeros.
    private func padded(_ index: Int, _ probes: inout Int) throws(FileError) -> OpenFile.Status? {
        guard let directory, !naming.ownsDirectory, probes > 0 else { return nil }
        probes -= 1
        for name in naming.paddedNames(index) {
            if let status = try directory.status(of: name) { return status }
        }
        return nil
    }

    /// Files beside the chunks that have chunks' numbers.
    private struct Strangers {
        /// Chunks that a second file claims, or one of another name than theirs.
        var twins: Set<Int> = []
        /// When one of those files was written last, in nanoseconds since 1970.
        var twinsModified = Int64.min
        /// Beyond the last chunk.
        var extras: [Int] = []
    }

    /// In a directory shared with others only the number behind the last is looked for: a listing would cost the more the
    /// more sessions there are.
    private func strangers() throws(FileError) -> Strangers {
        var strangers = Strangers()
        guard let directory else { return strangers }
        guard naming.ownsDirectory else {
            if try directory.status(of: naming.fileName(plan.count)) != nil { strangers.extras = [plan.count] }
            return strangers
        }
        var extras: Set<Int> = []
        for name in try directory.entries() {
            guard let index = naming.index(of: name) else { continue }
            if (0..<plan.count).contains(index) {
                guard name != naming.fileName(index) else { continue }
                strangers.twins.insert(index)
                let modified = try directory.status(of: name)?.modified
                strangers.twinsModified = max(strangers.twinsModified, modified ?? .min)
            } else if extras.count < 1_000 {
                extras.insert(index)
            }
        }
        strangers.extras = extras.sorted()
        return strangers
    }

    /// The names of all files that belong to the session.
    func names() throws(FileError) -> [String] {
        guard let directory else { return [] }
        var names = layout == .offset ? [naming.dataName] : []
        if naming.ownsDirectory {
            names += try directory.entries().filter { naming.index(of: $0) != nil }
        } else {
            names += (0..<plan.count).map(naming.fileName)
        }
        return names
    }

    /// Which chunk a file is that was put away under that name, from 0: where its name was taken it has a count behind it
    /// (`7.1`). Nil for what is no chunk's.
    func putAway(_ name: String) -> (index: Int, place: String, count: Int)? {
        if let index = naming.index(of: name) { return (index, name, 0) }
        guard let dot = name.lastIndex(of: "."), let count = Int(name[dot...].dropFirst()), count > 0 else {
            return nil
        }
        let place = String(name[..<dot])
        return naming.index(of: place).map { ($0, place, count) }
    }

    /// Opens what a merge reads; nil if it is not there as it should be. One that this user may not read is the row's
    /// trouble: the store and its other sessions are not to blame.
    ///
    /// - Parameter index: of the chunk; nil: of the data file.
    func open(_ index: Int?, bytes: Int64) throws -> (file: OpenFile, status: OpenFile.Status)? {
        let name = index.map(naming.fileName) ?? naming.dataName
        do throws(FileError) {
            guard let file = try directory?.open(name, O_RDONLY) else { return nil }
            let status = try file.status()
            return status.kind == .file && status.bytes == bytes ? (file, status) : nil
        } catch {
            if error.isForbidden {
                let path = (naming.path + [name]).joined(separator: "/")
                let what = index.map { "Chunk \($0 + naming.firstIndex)" } ?? "The data file"
                throw Self.unreadable("\(what) (“\(path)”)", error)
            }
            guard error.isNotFound || error.code == ELOOP || error.code == ENXIO else { throw error }
            return nil
        }
    }

    static func unreadable(_ what: String, _ error: FileError) -> StoreFault {
        StoreFault(.unreadable, error.fault("\(what) cannot be read").problem)
    }
}
