import Synchronization
import Timeline

/// What checks that began together have in common: their deadline, their lease, and that they are cancelled together.
///
/// A task of a discarding group cannot be cancelled by itself. The rows of one lane that one claim brought share their
/// deadline, so they share a group, and cancelling costs nothing a row. A check that outlives the lease by renewals,
/// which can be lost for one row alone, gets a scope of its own.
final class CheckScope: Sendable {
    let id: Int
    let lane: Int
    /// When the check is cancelled, whatever becomes of the lease.
    let deadline: Moment
    /// When the claim was sent: leases count from there, the earliest that they may have begun.
    let sentAt: Moment
    /// The lane had paused itself when the rows were claimed.
    let isProbe: Bool
    private let claimedAt: Timestamp
    private let timekeeper: any Timekeeper
    private let leaseEnd: Atomic<Int64>
    private let state: Mutex<State>

    private struct State: Sendable {
        var underWay: Int
        var isCancelled = false
        var waiter: CheckedContinuation<Bool, Never>?

        mutating func takeWaiter() -> CheckedContinuation<Bool, Never>? {
            defer { waiter = nil }
            return waiter
        }
    }

    init(
        id: Int, lane: Int, count: Int, sentAt: Moment, deadline: Moment, leaseEnd: Moment, claimedAt: Timestamp,
        isProbe: Bool = false, timekeeper: any Timekeeper
    ) {
        self.id = id
        self.lane = lane
        self.deadline = deadline
        self.sentAt = sentAt
        self.claimedAt = claimedAt
        self.isProbe = isProbe
        self.timekeeper = timekeeper
        self.leaseEnd = Atomic(leaseEnd.nanoseconds)
        state = Mutex(State(underWay: count))
    }

    /// The database's clock, carried forward on this machine's.
    var databaseNow: Timestamp { claimedAt + (timekeeper.now() - sentAt) }

    var leaseRemaining: Duration {
        max(.zero, Moment(nanoseconds: leaseEnd.load(ordering: .relaxed)) - timekeeper.now())
    }

    /// The lease was renewed, or is over: no call that changes the outside world may start any more.
    func setLeaseEnd(_ moment: Moment) {
        leaseEnd.store(moment.nanoseconds, ordering: .relaxed)
    }

    func cancel() {
        let waiter = state.withLock { state in
            state.isCancelled = true
            return state.takeWaiter()
        }
        waiter?.resume(returning: true)
    }

    func checkEnded() {
        let waiter = state.withLock { state in
            state.underWay -= 1
            return state.underWay == 0 ? state.takeWaiter() : nil
        }
        waiter?.resume(returning: false)
    }

    /// Waits until all checks have ended (false) or are to be cancelled (true).
    func untilOver() async -> Bool {
        await withCheckedContinuation { continuation in
            let outcome: Bool? = state.withLock { state in
                if state.isCancelled { return true }
                if state.underWay == 0 { return false }
                state.waiter = continuation
                return nil
            }
            if let outcome { continuation.resume(returning: outcome) }
        }
    }
}
