import Dispatch
import Glibc
import Synchronization
import Timeline

/// One thread that runs a poller's jobs and wakes its sleepers.
///
/// `Task.sleep` wakes through the cooperative pool, where two busy tasks delay it by 45–95 ms (measured). Due times and
/// deadlines have to hold whatever the checks do, so they have a thread of their own, with one heap of sleepers; a job
/// that was enqueued is run by the same thread without passing the pool.
public final class EngineThread: SerialExecutor, TaskExecutor, Timekeeper {
    private let work: Work

    public init() {
        work = Work()
        work.owner.withLock { $0.thread = self }
        work.start()
    }

    deinit {
        work.stop()
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        work.enqueue(UnownedJob(job))
    }

    public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        unsafe UnownedSerialExecutor(ordinary: self)
    }

    public func asUnownedTaskExecutor() -> UnownedTaskExecutor {
        unsafe UnownedTaskExecutor(ordinary: self)
    }

    public func now() -> Moment { .now }

    public func sleep(until moment: Moment) async throws {
        try await work.sleep(until: moment)
    }
}

extension EngineThread {
    /// What the thread itself holds on to, so that an abandoned `EngineThread` can end it.
    fileprivate final class Work: Sendable {
        struct Owner: Sendable {
            weak var thread: EngineThread?
        }

        private struct State: Sendable {
            var jobs: [UnownedJob] = []
            var sleepers = Sleepers()
            var isParked = false
            var isStopped = false
        }

        /// CLOCK_BOOTTIME goes on while the machine is suspended and the semaphore's clock does not: no wait is longer
        /// than this, so that a sleeper is noticed soon after the machine resumes.
        private static let waitMax = Duration.seconds(1)

        let owner = Mutex(Owner())
        private let state = Mutex(State())
        private let unparked = DispatchSemaphore(value: 0)

        func start() {
            let context = unsafe Unmanaged.passRetained(self).toOpaque()
            var thread = pthread_t()
            let body: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
                guard let context = unsafe context else { return nil }
                unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }
            let code = unsafe pthread_create(&thread, nil, body, context)
            precondition(code == 0, "cannot start a thread: error \(code)")
            pthread_detach(thread)
        }

        func stop() {
            unpark { $0.isStopped = true }
        }

        func enqueue(_ job: UnownedJob) {
            unpark { $0.jobs.append(job) }
        }

        func sleep(until moment: Moment) async throws {
            let id = state.withLock { $0.sleepers.announce() }
            try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                    let isCancelled = unpark { !$0.sleepers.add(id, until: moment, continuation) }
                    if isCancelled { continuation.resume(throwing: CancellationError()) }
                }
            } onCancel: {
                let cancelled = state.withLock { $0.sleepers.cancel(id) }
                cancelled?.resume(throwing: CancellationError())
            }
        }

        @discardableResult
        private func unpark<Result: Sendable>(_ change: (inout sending State) -> Result) -> Result {
            let (result, wasParked) = state.withLock { state in
                let result = change(&state)
                let wasParked = state.isParked
                state.isParked = false
                return (result, wasParked)
            }
            if wasParked { unparked.signal() }
            return result
        }

        func run() {
            while true {
                let (jobs, woken, isStopped) = state.withLock { state in
                    let jobs = state.jobs
                    state.jobs.removeAll(keepingCapacity: true)
                    return (jobs, state.sleepers.removeDue(at: .now), state.isStopped)
                }
                for sleeper in woken { sleeper.resume() }
                if !jobs.isEmpty {
                    // The jobs' actor may let go of the executor in the last of them: hold it until they are done.
                    guard let thread = owner.withLock({ $0.thread }) else { return }
                    let serial = unsafe thread.asUnownedSerialExecutor()
                    let task = unsafe thread.asUnownedTaskExecutor()
                    for job in jobs { unsafe job.runSynchronously(isolatedTo: serial, taskExecutor: task) }
                } else if woken.isEmpty {
                    if isStopped { return }
                    park()
                }
            }
        }

        private func park() {
            let wait: Duration? = state.withLock { state in
                guard state.jobs.isEmpty, !state.isStopped else { return nil }
                state.isParked = true
                guard let next = state.sleepers.next else { return Self.waitMax * 60 }
                return min(next - .now, Self.waitMax)
            }
            guard let wait else { return }
            if wait > .zero {
                let nanoseconds =
                    Int(wait.components.seconds) * 1_000_000_000 + Int(wait.components.attoseconds / 1_000_000_000)
                _ = unparked.wait(timeout: .now() + .nanoseconds(nanoseconds))
            }
            state.withLock { $0.isParked = false }
        }
    }
}
