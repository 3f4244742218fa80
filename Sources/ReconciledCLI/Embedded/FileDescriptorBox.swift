import Glibc
import Synchronization

/// A file descriptor that is closed once, at the latest when nobody holds it any more.
final class FileDescriptorBox: Sendable {
    let descriptor: Int32
    private let isOpen = Mutex(true)

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit { close() }

    func close() {
        isOpen.withLock { isOpen in
            if isOpen { Glibc.close(descriptor) }
            isOpen = false
        }
    }

    /// Both ends are closed in children: one that kept the writing end would keep the pipe open.
    static func pipe() throws -> (reading: FileDescriptorBox, writing: FileDescriptorBox) {
        var ends: [Int32] = [0, 0]
        guard unsafe Glibc.pipe(&ends) == 0 else { throw CommandFailure("no pipe can be made") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (FileDescriptorBox(ends[0]), FileDescriptorBox(ends[1]))
    }
}

/// An exclusive lock on a file, held for as long as this or a copy of its descriptor in a child is open.
final class FileLock: Sendable {
    private let box: FileDescriptorBox

    var descriptor: Int32 { box.descriptor }

    /// Nil if someone else holds it.
    init?(path: String) throws {
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CommandFailure("\(path) cannot be opened") }
        box = FileDescriptorBox(descriptor)
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return nil }
    }
}

enum UnixSocket {
    static let postgresName = ".s.PGSQL.5432"

    /// `sun_path` holds 108 bytes, the last of them zero.
    static func fits(_ path: String) -> Bool { path.utf8.count <= 107 }

    static func accepts(path: String) -> Bool {
        guard fits(path) else { return false }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe connect(descriptor, $0, size) }
        } == 0
    }
}
