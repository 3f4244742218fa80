import CLibpq
import DequeModule
import Glibc

/// One thread that runs an actor's jobs, in order: the only thread that ever touches that actor's `PGconn`.
///
/// libpq waits and resolves names where it is called; on a thread of its own it never holds up the cooperative pool.
@safe
final class ConnectionThread: SerialExecutor, @unchecked Sendable {
    /// Interrupts a wait on the connection's socket.
    let wakeup: Wakeup

    // Unchecked: `jobs` and `isStopping` are only touched under `mutex`.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: Deque<UnownedJob> = []
    private var isStopping = false

    init(name: String) throws(PostgresError) {
        wakeup = try Wakeup()
        unsafe pthread_mutex_init(mutex, nil)
        unsafe pthread_cond_init(condition, nil)
        // The thread holds its executor until it is told to stop, so that no job can outlive it.
        try startThread(named: name) { self.run() }
    }

    deinit {
        unsafe pthread_mutex_destroy(mutex)
        unsafe pthread_cond_destroy(condition)
        unsafe mutex.deallocate()
        unsafe condition.deallocate()
    }

    private func run() {
        while let job = next() { unsafe job.runSynchronously(on: asUnownedSerialExecutor()) }
    }

    private func next() -> UnownedJob? {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while jobs.isEmpty {
            if isStopping { return nil }
            unsafe pthread_cond_wait(condition, mutex)
        }
        return jobs.removeFirst()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        unsafe pthread_mutex_lock(mutex)
        jobs.append(job)
        unsafe pthread_mutex_unlock(mutex)
        unsafe pthread_cond_signal(condition)
    }

    /// Ends the thread once its jobs are done. Nothing may be enqueued later.
    func stop() {
        unsafe pthread_mutex_lock(mutex)
        isStopping = true
        unsafe pthread_mutex_unlock(mutex)
        unsafe pthread_cond_signal(condition)
    }
}
