import Dispatch
import NIOPosix
import Synchronization
import Timeline

/// The threads of one store that may wait for its disks: bounded, and no other store's. The two or three threads of
/// Swift's concurrency must never do so, and a mount that hangs must hang nobody who works elsewhere.
final class FileThreads: Sendable {
    static let countMax = 16

    private let pool: NIOThreadPool
    /// When work on any of them last moved.
    private let movedAt: Atomic<Int64>

    init(count: Int) {
        pool = NIOThreadPool(numberOfThreads: min(max(count, 1), Self.countMax))
        movedAt = Atomic(Moment.now.nanoseconds)
    }

    deinit {
        // One that hangs ends when the kernel lets it; nobody waits for that.
        pool.shutdownGracefully(queue: .global()) { _ in }
    }

    var lastMove: Moment { Moment(nanoseconds: movedAt.load(ordering: .relaxed)) }

    func note(_ moment: Moment) { movedAt.store(moment.nanoseconds, ordering: .relaxed) }

    /// Has a thread do it as soon as one is free.
    func submit(_ body: @escaping @Sendable () -> Void) {
        pool.start()
        pool.submit { state in
            guard case .active = state else { preconditionFailure("threads end only when nobody holds them") }
            body()
        }
    }
}
