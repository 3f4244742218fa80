import CLinux
import Glibc

/// An open file or directory, closed when nobody holds it any more.
final class OpenFile: Sendable {
    let descriptor: Int32

    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// What identifies a file and its content from outside.
    struct Status: Hashable, Sendable {
        var device: UInt64
        var inode: UInt64
        var bytes: Int64
        /// Nanoseconds since 1970.
        var modified: Int64
        /// As `modified`, of any change; nobody can set it back.
        var changed: Int64
        var kind: Kind

        enum Kind: Hashable, Sendable {
            case file, directory, link, other
        }

        init(_ status: stat) {
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
            bytes = Int64(status.st_size)
            modified = Self.nanoseconds(status.st_mtim)
            changed = Self.nanoseconds(status.st_ctim)
            kind =
                switch status.st_mode & S_IFMT {
                case S_IFREG: .file
                case S_IFDIR: .directory
                case S_IFLNK: .link
                default: .other
                }
        }

        /// Whether it is the same file with the same content, wherever it was moved.
        func isSame(as other: Status) -> Bool {
            (device, inode, bytes, modified) == (other.device, other.inode, other.bytes, other.modified)
        }

        /// Bounded: anyone may set a file's time to the year 3000.
        private static func nanoseconds(_ time: timespec) -> Int64 {
            Int64(time.tv_sec).multipliedSaturated(by: 1_000_000_000).addingSaturated(Int64(time.tv_nsec))
        }
    }

    func status() throws(FileError) -> Status {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw FileError("fstat") }
        return Status(status)
    }

    // MARK: this file is a directory

    /// Of an entry, a symbolic link itself included; nil if there is none.
    func status(of name: String) throws(FileError) -> Status? {
        var status = stat()
        guard unsafe fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            let error = FileError("fstatat")
            if error.isNotFound { return nil }
            throw error
        }
        return Status(status)
    }

    /// Opens an entry that is no symbolic link; a pipe does not make it wait.
    func open(_ name: String, _ flags: Int32, mode: mode_t = 0o666) throws(FileError) -> OpenFile {
        let opened = unsafe openat(descriptor, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, mode)
        guard opened >= 0 else { throw FileError("openat") }
        return OpenFile(descriptor: opened)
    }

    /// Opens a directory below this one, step by step, never through a symbolic link.
    ///
    /// - Parameter creating: makes what is missing, durably, also what others have just made: they may have died before
    ///   they could make it so.
    func directory(_ path: [String], creating: Bool = false) throws(FileError) -> OpenFile {
        var current = self
        for name in path {
            if creating {
                guard unsafe mkdirat(current.descriptor, name, 0o777) == 0 || errno == EEXIST else {
                    throw FileError("mkdirat")
                }
                try current.synchronize()
            }
            current = try current.open(name, O_RDONLY | O_DIRECTORY)
        }
        return current
    }

    /// Has whoever may use another directory use this one as well, as far as we may say so.
    func setAccess(as other: OpenFile) throws(FileError) {
        var status = stat()
        guard unsafe fstat(other.descriptor, &status) == 0 else { throw FileError("fstat") }
        if fchown(descriptor, status.st_uid, status.st_gid) != 0 {
            // Only root gives files away; a group of ours may have them.
            _ = fchown(descriptor, uid_t.max, status.st_gid)
        }
        // Where not everyone may take away what is another's, that holds here too.
        _ = fchmod(descriptor, status.st_mode & 0o3777)
    }

    /// What is in the way of a directory below this one: the path to the first part that is there and none itself, and what
    /// it is instead; nil if nothing is.
    func obstacle(on path: [String]) throws(FileError) -> (path: [String], kind: Status.Kind)? {
        var current = self
        for (depth, name) in path.enumerated() {
            guard let status = try current.status(of: name) else { return nil }
            guard status.kind == .directory else { return (Array(path.prefix(depth + 1)), status.kind) }
            do throws(FileError) {
                current = try current.open(name, O_RDONLY | O_DIRECTORY)
            } catch {
                // It is replaced at this very moment: the next look tells by what.
                guard error.isNotFound else { throw error }
                return nil
            }
        }
        return nil
    }

    /// The names of the entries, without `.` and `..`.
    func entries() throws(FileError) -> [String] {
        let copy = unsafe openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { throw FileError("openat") }
        guard let stream = unsafe fdopendir(copy) else {
            close(copy)
            throw FileError("fdopendir")
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else { break }
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw FileError("readdir") }
        return names
    }

    /// Removes an entry; one that is gone is as good.
    func remove(_ name: String, isDirectory: Bool = false) throws(FileError) {
        guard unsafe unlinkat(descriptor, name, isDirectory ? AT_REMOVEDIR : 0) == 0 || errno == ENOENT else {
            throw FileError("unlinkat")
        }
    }

    /// Moves an entry elsewhere on the same file system, never over something; false if something is there.
    func move(_ name: String, to directory: OpenFile, _ newName: String) throws(FileError) -> Bool {
        if unsafe linux_renameat2(
            descriptor, name, directory.descriptor, newName, UInt32(LINUX_RENAME_NOREPLACE)) == 0
        {
            return true
        }
        if errno == EEXIST { return false }
        guard errno == EINVAL || errno == ENOSYS else { throw FileError("renameat2") }
        // A file system without that flag: a hard link does not replace either.
        guard unsafe linkat(descriptor, name, directory.descriptor, newName, 0) == 0 else {
            if errno == EEXIST { return false }
            throw FileError("linkat")
        }
        try remove(name)
        return true
    }

    /// As `move`, of a directory. One that is gone was moved by someone else, and one in whose place something is goes. On a
    /// file system without that flag an empty directory may be replaced, which is as good.
    func moveDirectory(_ name: String, to directory: OpenFile, _ newName: String) throws(FileError) {
        if unsafe linux_renameat2(
            descriptor, name, directory.descriptor, newName, UInt32(LINUX_RENAME_NOREPLACE)) == 0
        {
            return
        }
        if errno == EINVAL || errno == ENOSYS {
            if unsafe renameat(descriptor, name, directory.descriptor, newName) == 0 { return }
        }
        switch errno {
        case ENOENT: return
        case EEXIST, ENOTEMPTY, ENOTDIR: try remove(name, isDirectory: true)
        default: throw FileError("renameat2")
        }
    }

    /// Everything written is durable: content, and for a directory its entries. A failure says nothing about what is on
    /// the disk: never tried again on the same file.
    func synchronize() throws(FileError) {
        guard fsync(descriptor) == 0 else { throw FileError("fsync") }
    }

    /// As `synchronize`, the content alone.
    func synchronizeData() throws(FileError) {
        guard fdatasync(descriptor) == 0 else { throw FileError("fdatasync") }
    }

    /// Has the disk begin to write these bytes. It makes nothing durable, and where it fails, or cannot, `synchronizeData`
    /// does all of it: this does not take an error away that is for that one to tell.
    func beginWriting(from start: Int64, to end: Int64) {
        _ = linux_sync_file_range(descriptor, start, end - start, UInt32(LINUX_SYNC_FILE_RANGE_WRITE))
    }

    /// Bytes that an ordinary user may still write to the file system.
    func freeBytes() throws(FileError) -> Int64 {
        var status = statvfs()
        guard unsafe fstatvfs(descriptor, &status) == 0 else { throw FileError("fstatvfs") }
        return Int64(
            clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue)
    }

    // MARK: locks

    /// Takes the exclusive lock of this open file, which ends with it, however the process ends; false if another has it.
    func lock() throws(FileError) -> Bool {
        while linux_flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            if errno == EINTR { continue }
            if errno == EWOULDBLOCK { return false }
            throw FileError("flock")
        }
        return true
    }
}

/// Opens a store's root. It may be a symbolic link: the configuration says so, nobody else.
func openRoot(_ path: String) throws(FileError) -> OpenFile {
    let opened = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard opened >= 0 else { throw FileError("open") }
    return OpenFile(descriptor: opened)
}
