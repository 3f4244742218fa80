import Foundation
import Glibc

/// A small file system of its own, as far as this process may mount one.
struct Tmpfs {
    let path: String

    static let isPermitted: Bool = {
        let folder = FileManager.default.temporaryDirectory.appending(path: "reconciled-mount-\(getpid())")
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            try Tmpfs(on: folder, mebibytes: 1).unmount()
            return true
        } catch {
            return false
        }
    }()

    /// - Parameter inodes: how many files it takes.
    init(on folder: URL, mebibytes: Int, inodes: Int = 10_000) throws {
        path = folder.path
        try Self.run("mount -t tmpfs -o size=\(mebibytes)m,nr_inodes=\(inodes) tmpfs '\(path)'")
    }

    /// Changes its options, such as `size=64m` or `ro`.
    func remount(_ options: String) throws { try Self.run("mount -o remount,\(options) '\(path)'") }

    func unmount() throws { try Self.run("umount -l '\(path)'") }

    private static func run(_ command: String) throws {
        let status = unsafe system("\(command) >/dev/null 2>&1")
        guard status == 0 else { throw Program.Failure(description: "\(command) failed") }
    }
}
