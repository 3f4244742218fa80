import Reconciling
import StoreConformance
import Synchronization
import Timeline

/// The conformance suite's hands on the simulated table. Its clock moves only when a rule says so.
final class SimulatedHarness: StoreHarness {
    static let statuses = StatusWords.orders

    private final class Clock: Sendable {
        let elapsed = Mutex(Duration.zero)
    }

    private let clock: Clock
    private let database: SimulatedDatabase

    init(flaws: Flaws = []) {
        let clock = Clock()
        self.clock = clock
        database = SimulatedDatabase(flaws: flaws) { Simulation.epoch + clock.elapsed.withLock { $0 } }
    }

    func store(poller: String) async throws -> DirectStore { DirectStore(database, poller: poller) }

    func insert(_ row: NewRow) async throws {
        database.perform { table, now in
            table.rows[row.id] = SimulatedColumns(
                id: row.id, lane: row.lane, status: Self.statuses.waiting, nextCheckAt: row.dueIn.map { now + $0 },
                claimCount: row.claimCount, createdAt: now)
        }
    }

    func columns(of id: String) async throws -> RowColumns {
        let (row, now) = database.perform { table, now in (table.rows[id], now) }
        guard let row else { throw StoreError(.permanent, message: "no row \(id)") }
        return RowColumns(
            lane: row.lane, status: row.status, nextCheckIn: row.nextCheckAt.map { $0 - now },
            checkCount: row.checkCount, failureCount: row.failureCount, claimCount: row.claimCount,
            leaseToken: row.leaseToken, isLeaseExpirySet: row.leaseExpiresAt != nil, leasedBy: row.leasedBy,
            progress: row.progress, lastVerdict: row.lastVerdict, lastError: row.lastError,
            isLastCheckedAtSet: row.lastCheckedAt != nil)
    }

    func history(of id: String) async throws -> [HistoryEntry] {
        database.perform { table, _ in
            table.history.filter { $0.rowID == id }.map {
                HistoryEntry(
                    verdict: $0.verdict.rawValue, statusBefore: $0.statusBefore, statusAfter: $0.statusAfter)
            }
        }
    }

    func remove(_ id: String) async throws { database.perform { table, _ in table.rows[id] = nil } }

    func setStatus(of id: String, to status: String) async throws {
        database.perform { table, _ in table.rows[id]?.status = status }
    }

    func setLane(of id: String, to lane: String) async throws {
        database.perform { table, _ in table.rows[id]?.lane = lane }
    }

    func setNextCheck(of id: String, in delay: Duration?) async throws {
        database.perform { table, now in table.rows[id]?.nextCheckAt = delay.map { now + $0 } }
    }

    func whileLocked(_ id: String, _ body: @Sendable () async throws -> Void) async throws {
        database.perform { table, _ in table.rows[id]?.isLocked = true }
        defer { database.perform { table, _ in table.rows[id]?.isLocked = false } }
        try await body()
    }

    func pauseByPerson(lane: String, name: String, reason: String) async throws {
        database.perform { $0.pause(lane, by: name, reason: reason, at: $1) }
    }

    func elapse(_ duration: Duration) async throws { clock.elapsed.withLock { $0 += duration } }

    func change(status: String) -> SimulatedChange { SimulatedChange(status: status) }

    func refusedChange(for id: String) async throws -> SimulatedChange {
        SimulatedChange(status: "paid", isRefused: true)
    }
}
