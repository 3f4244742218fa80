import NIOPosix
import Synchronization

/// Runs blocking file I/O on threads that may block, and tells it when its task is cancelled.
///
/// The pool is the process's own for such work: the two or three threads of Swift's concurrency must never wait for a disk.
struct BlockingWork: Sendable {
    private let isCancelled = Flag()

    private final class Flag: Sendable {
        let value = Atomic(false)
    }

    var isInterrupted: Bool { isCancelled.value.load(ordering: .relaxed) }

    func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withTaskCancellationHandler {
            if Task.isCancelled { isCancelled.value.store(true, ordering: .relaxed) }
            return try await NIOThreadPool.singleton.runIfActive(body)
        } onCancel: {
            isCancelled.value.store(true, ordering: .relaxed)
        }
    }
}
