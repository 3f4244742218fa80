import Console
import Reconciling

/// Tells `readiness` whether the database answers the engine, and `written` what was written.
struct ObservedStore<Base: Store>: Store {
    typealias R = Base.R
    typealias Change = Base.Change

    let base: Base
    let watch: String
    let readiness: Readiness
    /// Called with each settlement that changed its row.
    let written: @Sendable (Settlement<R.ID, Change>) -> Void
    /// Called once for all that one trip changed besides the schedule.
    let changed: @Sendable () -> Void

    func exchange(_ request: Exchange<R, Change>) async -> ExchangeResult<R> {
        let result = await base.exchange(request)
        if case .success(let outcomes) = result.settled {
            var isChanged = false
            for (settlement, outcome) in zip(request.settlements, outcomes) {
                guard case .written = outcome else { continue }
                written(settlement)
                isChanged = isChanged || settlement.change != nil
            }
            if isChanged { changed() }
        }
        switch result.claimed {
        case .failure(let error)?: readiness.databaseFailed(error.description)
        case .success?: readiness.databaseAnswered()
        case nil: break
        }
        return result
    }

    func heartbeat(stopping: Bool) async throws {
        try await base.heartbeat(stopping: stopping)
        readiness.heartbeatWritten(watch: watch)
    }

    func renew(_ leases: [HeldLease<R.ID>], for duration: Duration) async throws -> Set<Int64> {
        try await base.renew(leases, for: duration)
    }

    func handBack(_ leases: [HeldLease<R.ID>]) async throws { try await base.handBack(leases) }

    func journal(_ lease: HeldLease<R.ID>, progress: String) async throws -> Bool {
        try await base.journal(lease, progress: progress)
    }

    func register(lanes: [String]) async throws { try await base.register(lanes: lanes) }

    func pause(lane: String, reason: String) async throws { try await base.pause(lane: lane, reason: reason) }

    func resume(lane: String) async throws { try await base.resume(lane: lane) }

    func hold(lane: String, for duration: Duration) async throws { try await base.hold(lane: lane, for: duration) }

    func wakeups() -> AsyncStream<Wakeup> { base.wakeups() }
}
