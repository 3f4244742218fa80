import Collections
import Synchronization
import Timeline

@testable import Reconciling

/// A deterministic scheduler: one thread, virtual time, and a seed that picks which job runs next.
///
/// Every node (a poller's process, the applications) has an executor of its own on it, so that a node can be frozen.
/// When no job can run, time jumps to the next sleeper.
final class Simulation: Timekeeper {
    private struct Job: Sendable {
        var node: Int
        var job: UnownedJob
        var executor: SimulatedExecutor
    }

    private struct State: Sendable {
        var now = Moment(nanoseconds: 1_000_000_000)
        var random: SeededRandom
        var jobs: [Job] = []
        var sleepers = Sleepers()
        var frozenUntil: [Int: Moment] = [:]
        var jobCount = 0
    }

    /// What the database's clock showed at moment zero.
    static let epoch = Timestamp(microseconds: 1_800_000_000_000_000)

    private let state: Mutex<State>

    init(seed: UInt64) {
        state = Mutex(State(random: SeededRandom(seed: seed)))
    }

    func now() -> Moment { state.withLock { $0.now } }

    /// The database's clock: as true as the simulation's.
    var databaseNow: Timestamp { Self.epoch + (now() - Moment(nanoseconds: 0)) }

    func sleep(until moment: Moment) async throws {
        let id = state.withLock { $0.sleepers.announce() }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let isAsleep = state.withLock { $0.sleepers.add(id, until: moment, continuation) }
                if !isAsleep { continuation.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            state.withLock { $0.sleepers.cancel(id) }?.resume(throwing: CancellationError())
        }
    }

    /// Sleeps through a cancellation: a packet on its way is not called back.
    func sleepThrough(_ duration: Duration) async {
        let moment = now() + duration
        do {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                state.withLock { state in
                    let id = state.sleepers.announce()
                    _ = state.sleepers.add(id, until: moment, continuation)
                }
            }
        } catch {
            preconditionFailure("nobody cancels this sleeper")
        }
    }

    func sleep(for duration: Duration) async throws { try await sleep(until: now() + duration) }

    /// A draw of the simulation's own.
    func draw<T: Sendable>(_ body: (inout SeededRandom) -> T) -> T { state.withLock { body(&$0.random) } }

    /// Nothing of this node runs until then; what it wrote stays on its way.
    func freeze(node: Int, until moment: Moment) {
        state.withLock { $0.frozenUntil[node] = moment }
    }

    func enqueue(_ job: UnownedJob, node: Int, executor: SimulatedExecutor) {
        state.withLock { $0.jobs.append(Job(node: node, job: job, executor: executor)) }
    }

    private enum Pick {
        case run(Job)
        case wake([Sleepers.Continuation])
        case end
    }

    /// Runs jobs until `isDone`, or until virtual time reaches `end`. Returns false for the latter.
    func run(until end: Moment, isDone: () -> Bool) -> Bool {
        while !isDone() {
            switch state.withLock({ Self.pick(&$0, end: end) }) {
            case .run(let job):
                unsafe job.job.runSynchronously(
                    isolatedTo: job.executor.asUnownedSerialExecutor(),
                    taskExecutor: job.executor.asUnownedTaskExecutor())
            case .wake(let sleepers):
                for sleeper in sleepers { sleeper.resume() }
            case .end:
                return false
            }
        }
        return true
    }

    private static func pick(_ state: inout State, end: Moment) -> Pick {
        state.jobCount += 1
        precondition(state.jobCount < 20_000_000, "the simulation does not come to rest")
        let woken = state.sleepers.removeDue(at: state.now)
        if !woken.isEmpty { return .wake(woken) }
        let runnable = state.jobs.indices.filter { index in
            state.frozenUntil[state.jobs[index].node].map { state.now >= $0 } ?? true
        }
        if let index = runnable.randomElement(using: &state.random) {
            // Work takes time, so that nothing can spin without time passing.
            state.now = state.now + state.random.duration(0...20)
            return .run(state.jobs.swapRemove(at: index))
        }
        let thaws = state.frozenUntil.values.filter { $0 > state.now }
        guard let next = ([state.sleepers.next].compactMap { $0 } + thaws).min(), next <= end else { return .end }
        state.now = max(state.now, next)
        return .wake([])
    }
}

extension Array {
    fileprivate mutating func swapRemove(at index: Int) -> Element {
        swapAt(index, count - 1)
        return removeLast()
    }
}
