import Deliveries
import PostgresStore
import Reconciling
import StoreConformance
import Synchronization
import Timeline

/// The harness of a table whose ids are numbers, for rules that name their rows: each name stands for the number of the
/// row that was inserted under it.
final class NumberedHarness: StoreHarness {
    static var statuses: StatusWords { DeliveryTable.statuses }

    private let base: PostgresHarness<DeliveryTable>
    private let names = RowNames()

    init(_ base: PostgresHarness<DeliveryTable>) {
        self.base = base
    }

    func store(poller: String) async throws -> NumberedStore {
        NumberedStore(base: try await base.store(poller: poller), names: names)
    }

    func insert(_ row: NewRow) async throws {
        var row = row
        row.id = names.number(of: row.id)
        try await base.insert(row)
    }

    func columns(of id: String) async throws -> RowColumns { try await base.columns(of: names.number(of: id)) }
    func history(of id: String) async throws -> [HistoryEntry] { try await base.history(of: names.number(of: id)) }
    func remove(_ id: String) async throws { try await base.remove(names.number(of: id)) }

    func setStatus(of id: String, to status: String) async throws {
        try await base.setStatus(of: names.number(of: id), to: status)
    }

    func setLane(of id: String, to lane: String) async throws {
        try await base.setLane(of: names.number(of: id), to: lane)
    }

    func setNextCheck(of id: String, in delay: Duration?) async throws {
        try await base.setNextCheck(of: names.number(of: id), in: delay)
    }

    func whileLocked(_ id: String, _ body: @Sendable () async throws -> Void) async throws {
        try await base.whileLocked(names.number(of: id), body)
    }

    func pauseByPerson(lane: String, name: String, reason: String) async throws {
        try await base.pauseByPerson(lane: lane, name: name, reason: reason)
    }

    func elapse(_ duration: Duration) async throws { try await base.elapse(duration) }
    func change(status: String) -> DeliveryChange { base.change(status: status) }

    func refusedChange(for id: String) async throws -> DeliveryChange {
        try await base.refusedChange(for: names.number(of: id))
    }
}

/// Rows' names and numbers; a name gets the next number when it is first heard.
final class RowNames: Sendable {
    /// Numbers of one and of two digits are claimed in their order.
    private static let first = 8
    private let names = Mutex<[String]>([])

    func number(of name: String) -> String {
        names.withLock { names in
            if let index = names.firstIndex(of: name) { return "\(Self.first + index)" }
            names.append(name)
            return "\(Self.first + names.count - 1)"
        }
    }

    func name(of number: String) -> String {
        names.withLock { names in Int(number).map { names[$0 - Self.first] } ?? number }
    }
}

/// Speaks of rows by their names to the rules, and by their numbers to the table.
struct NumberedStore: Store {
    typealias R = Delivery
    typealias Change = DeliveryChange

    let base: PostgresStore<DeliveryTable>
    let names: RowNames

    func exchange(_ request: Exchange<Delivery, DeliveryChange>) async -> ExchangeResult<Delivery> {
        var request = request
        for index in request.settlements.indices {
            request.settlements[index].held = numbered(request.settlements[index].held)
        }
        if var claim = request.claim {
            for index in claim.quotas.indices {
                guard let from = claim.quotas[index].from else { continue }
                claim.quotas[index].from = ClaimBound(dueAt: from.dueAt, id: names.number(of: from.id))
            }
            request.claim = claim
        }
        var result = await base.exchange(request)
        result.claimed = result.claimed?.map { claimed in
            var claimed = claimed
            for index in claimed.claims.indices {
                claimed.claims[index].row.id = names.name(of: claimed.claims[index].row.id)
            }
            return claimed
        }
        return result
    }

    private func numbered(_ held: HeldLease<String>) -> HeldLease<String> {
        HeldLease(id: names.number(of: held.id), lane: held.lane, lease: held.lease, error: held.error)
    }

    func renew(_ leases: [HeldLease<String>], for duration: Duration) async throws -> Set<Int64> {
        try await base.renew(leases.map(numbered), for: duration)
    }

    func handBack(_ leases: [HeldLease<String>]) async throws { try await base.handBack(leases.map(numbered)) }

    func journal(_ lease: HeldLease<String>, progress: String) async throws -> Bool {
        try await base.journal(numbered(lease), progress: progress)
    }

    func register(lanes: [String]) async throws { try await base.register(lanes: lanes) }
    func pause(lane: String, reason: String) async throws { try await base.pause(lane: lane, reason: reason) }
    func resume(lane: String) async throws { try await base.resume(lane: lane) }
    func hold(lane: String, for duration: Duration) async throws { try await base.hold(lane: lane, for: duration) }
    func heartbeat(stopping: Bool) async throws { try await base.heartbeat(stopping: stopping) }
    func wakeups() -> AsyncStream<Wakeup> { base.wakeups() }
}
