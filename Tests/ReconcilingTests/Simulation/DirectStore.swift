import Reconciling
import Timeline

/// The table with neither latency nor faults.
struct DirectStore: Store {
    private let database: SimulatedDatabase
    private let poller: String

    init(_ database: SimulatedDatabase, poller: String) {
        self.database = database
        self.poller = poller
    }

    func exchange(_ request: Exchange<SimulatedRow, SimulatedChange>) async -> ExchangeResult<SimulatedRow> {
        let poller = poller
        let settled = database.perform { table, now in
            request.settlements.map { table.settle($0, by: poller, at: now) }
        }
        let claimed = request.claim.map { claim in database.perform { $0.claim(claim, by: poller, at: $1) } }
        return ExchangeResult(settled: .success(settled), claimed: claimed.map { .success($0) })
    }

    func renew(_ leases: [HeldLease<String>], for duration: Duration) async throws -> Set<Int64> {
        database.perform { $0.renew(leases, for: duration, by: poller, at: $1) }
    }

    func handBack(_ leases: [HeldLease<String>]) async throws {
        database.perform { $0.handBack(leases, by: poller, at: $1) }
    }

    func journal(_ lease: HeldLease<String>, progress: String) async throws -> Bool {
        database.perform { $0.journal(lease, progress: progress, by: poller, at: $1) }
    }

    func register(lanes: [String]) async throws { database.perform { $0.register(lanes, at: $1) } }

    func pause(lane: String, reason: String) async throws {
        database.perform { $0.pause(lane, by: nil, reason: reason, at: $1) }
    }

    func resume(lane: String) async throws { database.perform { table, _ in table.resume(lane) } }

    func hold(lane: String, for duration: Duration) async throws {
        database.perform { $0.hold(lane, for: duration, at: $1) }
    }

    func heartbeat(stopping: Bool) async throws {}

    func wakeups() -> AsyncStream<Wakeup> { database.listen() }
}
