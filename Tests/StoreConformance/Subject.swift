import Reconciling
import Timeline

/// What a rule acts on: the harness, two pollers' stores, and the words that rules are written in.
struct Subject<H: StoreHarness>: Sendable {
    typealias S = H.S
    typealias Outcomes = [SettleOutcome]

    let rule: String
    let harness: H

    static var lease: Duration { .seconds(60) }

    func prepare() async throws {
        try await store("p1").register(lanes: ["a", "b"])
    }

    func store(_ poller: String) async throws -> S { try await harness.store(poller: poller) }

    func insert(_ rows: NewRow...) async throws {
        for row in rows { try await harness.insert(row) }
    }

    // MARK: Acting

    func claimAll(
        _ lanes: [String] = ["a"], count: Int = 100, by poller: String = "p1", from: ClaimBound<String>? = nil,
        suspects: Bool = true
    ) async throws -> Claimed<S.R> {
        let quotas = lanes.map { LaneQuota(lane: $0, count: count, includesSuspects: suspects, from: from) }
        let request = ClaimRequest(lease: Self.lease, quotas: quotas)
        let result = await (try store(poller)).exchange(Exchange(settlements: [], claim: request))
        guard let claimed = result.claimed else { throw failure("a claim was asked for and none was answered") }
        return try claimed.get()
    }

    func claim(
        _ lanes: [String] = ["a"], count: Int = 100, by poller: String = "p1", from: ClaimBound<String>? = nil,
        suspects: Bool = true
    ) async throws -> [Claim<S.R>] {
        try await claimAll(lanes, count: count, by: poller, from: from, suspects: suspects).claims
    }

    func claimOne(_ id: String, by poller: String = "p1") async throws -> Claim<S.R> {
        let claims = try await claim(by: poller)
        guard let claim = claims.first(where: { $0.row.id == id }) else { throw failure("\(id) was not claimed") }
        return claim
    }

    func settlement(
        _ claim: Claim<S.R>, verdict: Verdict = .recheck, delay: Duration? = .seconds(300), failureCount: Int = 0,
        status: String? = nil, contradictedBy: [String] = []
    ) -> Settlement<String, S.Change> {
        Settlement(
            held: held(claim), statusBefore: claim.row.status, dueAt: claim.dueAt, verdict: verdict, delay: delay,
            failureCount: failureCount, change: status.map { harness.change(status: $0) }, reason: "TEST",
            contradictedBy: contradictedBy)
    }

    func held(_ claim: Claim<S.R>) -> HeldLease<String> {
        HeldLease(id: claim.row.id, lane: claim.row.lane, lease: claim.lease)
    }

    /// The place of a claimed row in its lane.
    func bound(_ claim: Claim<S.R>) throws -> ClaimBound<String> {
        guard let dueAt = claim.dueAt else { throw failure("\(claim.row.id) was claimed without next_check_at") }
        return ClaimBound(dueAt: dueAt, id: claim.row.id)
    }

    func settle(_ settlements: [Settlement<String, S.Change>], by poller: String = "p1") async throws -> Outcomes {
        let result = await (try store(poller)).exchange(Exchange(settlements: settlements, claim: nil))
        let outcomes = try result.settled.get()
        guard outcomes.count == settlements.count else {
            throw failure("\(settlements.count) settlements got \(outcomes.count) outcomes")
        }
        for (settlement, outcome) in zip(settlements, outcomes) {
            switch outcome {
            case .written(_, let dueAt, let lane), .overtaken(_, let dueAt, let lane):
                let columns = try await columns(settlement.held.id)
                try expect(
                    (dueAt == nil) == (columns.nextCheckIn == nil), "the outcome says whether the row is due again")
                try expect(lane, is: dueAt.map { _ in columns.lane }, "the lane that it says")
            case .stale, .locked, .refused: break
            }
        }
        return outcomes
    }

    func columns(_ id: String) async throws -> RowColumns { try await harness.columns(of: id) }

    // MARK: Judging

    func failure(_ message: String) -> ConformanceFailure { ConformanceFailure(rule: rule, message: message) }

    func expect<T: Equatable>(_ value: T, is expected: T, _ what: String) throws {
        guard value == expected else { throw failure("\(what) is \(value), not \(expected)") }
    }

    func expect(_ condition: Bool, _ what: String) throws {
        guard condition else { throw failure("not so: \(what)") }
    }

    /// Real time passes while a rule runs: two seconds either way.
    func expectNextCheck(_ id: String, in delay: Duration?) async throws {
        let columns = try await columns(id)
        switch (columns.nextCheckIn, delay) {
        case (nil, nil): return
        case (let found?, let delay?) where found > delay - .seconds(2) && found < delay + .seconds(2): return
        case (let found, _):
            throw failure(
                "\(id) is checked next in \(found?.text ?? "NULL"), not in \(delay?.text ?? "NULL")")
        }
    }

    func expectUnleased(_ id: String) async throws {
        let columns = try await columns(id)
        try expect(
            columns.leaseToken == nil && !columns.isLeaseExpirySet && columns.leasedBy == nil,
            "\(id)'s three lease columns are NULL")
    }
}

extension SettleOutcome {
    /// All that it says but when the row is due, and where.
    public var undated: Self {
        switch self {
        case .written(let status, _, _): .written(status: status)
        case .overtaken(let status, _, _): .overtaken(status: status)
        case .stale, .locked, .refused: self
        }
    }
}
