import Dispatch
import NIOPosix

/// A thread of one store that has the disk begin to write what was copied while the copying goes on: to hand over 16 MiB
/// takes as long as to copy a fifth of it.
final class WriteBehind: Sendable {
    private let pool = NIOThreadPool(numberOfThreads: 1)

    deinit {
        // One that hangs ends when the kernel lets it; nobody waits for that.
        pool.shutdownGracefully(queue: .global()) { _ in }
    }

    /// As `OpenFile.beginWriting`, and does not wait for it: what was not begun before a checkpoint is written by that. A
    /// file that its merge lets go of is closed, and its lock free, whatever still waits here.
    func begin(_ file: OpenFile, from start: Int64, to end: Int64) {
        pool.start()
        pool.submit { [weak file] _ in file?.beginWriting(from: start, to: end) }
    }
}
