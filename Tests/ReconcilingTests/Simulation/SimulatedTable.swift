import Reconciling
import Timeline

/// A watched table in memory, by the rules of the design: leases, tokens, compare-and-set, nudges, lanes.
struct SimulatedTable: Sendable {
    var rows: [String: SimulatedColumns] = [:]
    var lanes: [String: SimulatedLane] = [:]
    var history: [SimulatedHistory] = []
    var lastToken: Int64 = 0
    var flaws: Flaws = []
    /// Everything that happened, for the checker of histories.
    var log: [SimulatedEvent] = []

    // MARK: Claim

    mutating func claim(
        _ request: ClaimRequest<String>, by poller: String, at now: Timestamp
    ) -> Claimed<SimulatedRow> {
        var candidates: [String] = []
        for quota in request.quotas {
            let rows = opened(quota, at: now)
            // A suspect is claimed alone within its lane.
            candidates += rows.first(where: isSuspect).map { [$0] } ?? rows
        }
        let claims = candidates.compactMap { take($0, lease: request.lease, by: poller, at: now) }
        return Claimed(
            claims: claims.sorted { place($0.row.id) < place($1.row.id) },
            horizons: request.quotas.map { horizon($0.lane, at: now) })
    }

    private func isSuspect(_ id: String) -> Bool { rows[id].map { $0.claimCount >= 3 } ?? false }

    private func place(_ id: String) -> (Timestamp, String) { (rows[id]?.nextCheckAt ?? .distantFuture, id) }

    /// The rows that the lane may give: a paused one gives a probe a minute.
    private mutating func opened(_ quota: LaneQuota<String>, at now: Timestamp) -> [String] {
        let lane = lanes[quota.lane]
        if let pause = lane?.pause {
            guard pause.by == nil, let probeAt = lane?.probeAt, probeAt <= now else { return [] }
            return probe(quota, at: now)
        }
        if let holdUntil = lane?.holdUntil, holdUntil > now { return [] }
        return Array(due(quota, at: now).prefix(quota.count))
    }

    /// The row behind the one that was probed last; behind the last one of all the next probe begins again, at once.
    private mutating func probe(_ quota: LaneQuota<String>, at now: Timestamp) -> [String] {
        var quota = quota
        quota.from = nil
        let last = lanes[quota.lane]?.probed
        let next = due(quota, at: now).first { id in last.map { place(id) > $0 } ?? true }
        if next != nil { lanes[quota.lane]?.probeAt = now + .seconds(60) }
        let probed = next.map { place($0) }
        lanes[quota.lane]?.probed = probed
        return next.map { [$0] } ?? []
    }

    private func due(_ quota: LaneQuota<String>, at now: Timestamp) -> [String] {
        rows.values.filter { row in
            guard row.lane == quota.lane, !row.isLocked, let dueAt = row.nextCheckAt, dueAt <= now else { return false }
            if let from = quota.from, (dueAt, row.id) < (from.dueAt, from.id) { return false }
            return isClaimable(row, at: now) && (quota.includesSuspects || !isSuspect(row.id))
        }.map(\.id).sorted { place($0) < place($1) }
    }

    private func isClaimable(_ row: SimulatedColumns, at now: Timestamp) -> Bool {
        guard let expiry = row.leaseExpiresAt else { return true }
        if flaws.contains(.claimsHeld) { return true }
        return expiry <= now && !flaws.contains(.keepsLapsed)
    }

    private mutating func take(
        _ id: String, lease: Duration, by poller: String, at now: Timestamp
    ) -> Claim<SimulatedRow>? {
        guard var row = rows[id], let dueAt = row.nextCheckAt else { return nil }
        lastToken += 1
        row.leaseToken = lastToken
        row.leaseExpiresAt = now + lease
        row.leasedBy = poller
        row.claimCount += 1
        rows[id] = row
        log.append(SimulatedEvent(at: now, row: id, kind: .claimed(token: lastToken, until: now + lease)))
        return Claim(
            row: SimulatedRow(id: id, lane: row.lane, status: row.status), lease: Lease(token: lastToken),
            dueAt: dueAt, claimedAt: now, cadenceAnchor: row.createdAt, checkCount: row.checkCount,
            failureCount: row.failureCount, claimCount: row.claimCount, progress: row.progress)
    }

    private func horizon(_ name: String, at now: Timestamp) -> LaneHorizon {
        let next = rows.values.filter { $0.lane == name }.compactMap(\.nextCheckAt)
            .filter { $0 > now && $0 != .distantFuture }.min()
        let hold = lanes[name]?.holdUntil.flatMap { $0 > now ? $0 : nil }
        return LaneHorizon(lane: name, nextDueIn: (hold ?? next).map { $0 - now }, pause: lanes[name]?.pause)
    }

    // MARK: Settle

    mutating func settle(
        _ settlement: Settlement<String, SimulatedChange>, by poller: String, at now: Timestamp
    ) -> SettleOutcome {
        guard var row = rows[settlement.held.id] else { return .stale }
        let isOurs = row.leaseToken == settlement.held.lease.token && row.leasedBy == poller
        guard isOurs || flaws.contains(.noFence) else { return .stale }
        guard !row.isLocked else { return .locked }
        let statusNow = row.status
        let agrees = statusNow == settlement.statusBefore || flaws.contains(.noCompare)
        if agrees, let change = settlement.change {
            if change.isRefused { return .refused(Refusal(code: "23505", constraint: "txn", message: "duplicate")) }
            row.status = change.status
        }
        row.nextCheckAt = nextCheck(row, settlement, agrees: agrees, at: now)
        row.checkCount += 1
        row.failureCount = agrees ? settlement.failureCount : 0
        row.claimCount = 0
        row.leaseToken = nil
        row.leaseExpiresAt = nil
        row.leasedBy = nil
        row.progress = agrees ? settlement.progress : nil
        row.lastCheckedAt = now
        row.lastVerdict = (agrees ? settlement.verdict : .overtaken).rawValue
        row.lastError = agrees ? settlement.error : nil
        rows[row.id] = row
        log.append(
            SimulatedEvent(
                at: now, row: row.id, kind: .settled(token: settlement.held.lease.token, rests: row.nextCheckAt == nil))
        )
        if !agrees || row.status != statusNow {
            history.append(
                SimulatedHistory(
                    rowID: row.id, at: now, token: settlement.held.lease.token,
                    verdict: agrees ? settlement.verdict : .overtaken, statusBefore: statusNow,
                    statusAfter: row.status, answer: settlement.answer))
        }
        let lane = row.nextCheckAt == nil ? nil : row.lane
        return agrees
            ? .written(status: row.status, dueAt: row.nextCheckAt, lane: lane)
            : .overtaken(status: row.status, dueAt: row.nextCheckAt, lane: lane)
    }

    private func nextCheck(
        _ row: SimulatedColumns, _ settlement: Settlement<String, SimulatedChange>, agrees: Bool, at now: Timestamp
    ) -> Timestamp? {
        if !agrees, settlement.contradictedBy.contains(row.status) { return now }
        if agrees, settlement.delay == nil { return nil }
        if row.nextCheckAt != settlement.dueAt, !flaws.contains(.losesNudges) { return row.nextCheckAt }
        return agrees ? settlement.delay.map { now + $0 } : now
    }

    // MARK: Leases

    private func isHeld(_ held: HeldLease<String>, by poller: String) -> Bool {
        guard let row = rows[held.id] else { return false }
        return row.leaseToken == held.lease.token && row.leasedBy == poller
    }

    mutating func renew(
        _ leases: [HeldLease<String>], for duration: Duration, by poller: String, at now: Timestamp
    ) -> Set<Int64> {
        var renewed: Set<Int64> = []
        for held in leases where isHeld(held, by: poller) && rows[held.id]?.isLocked == false {
            rows[held.id]?.leaseExpiresAt = now + duration
            renewed.insert(held.lease.token)
            log.append(
                SimulatedEvent(
                    at: now, row: held.id, kind: .renewed(token: held.lease.token, until: now + duration)))
        }
        return renewed
    }

    mutating func handBack(_ leases: [HeldLease<String>], by poller: String, at now: Timestamp) {
        for held in leases where isHeld(held, by: poller) {
            guard var row = rows[held.id], !row.isLocked else { continue }
            row.leaseToken = nil
            row.leaseExpiresAt = nil
            row.leasedBy = nil
            row.claimCount = max(0, row.claimCount - 1)
            row.lastError = held.error ?? row.lastError
            rows[held.id] = row
            log.append(SimulatedEvent(at: now, row: held.id, kind: .handedBack(token: held.lease.token)))
        }
    }

    mutating func journal(
        _ held: HeldLease<String>, progress: String, by poller: String, at now: Timestamp
    ) -> Bool {
        guard isHeld(held, by: poller), let expiry = rows[held.id]?.leaseExpiresAt, expiry > now else { return false }
        rows[held.id]?.progress = progress
        return true
    }

    // MARK: Lanes

    mutating func register(_ names: [String], at now: Timestamp) {
        for name in names {
            var lane = lanes[name] ?? SimulatedLane()
            if let pause = lane.pause, pause.by == nil { lane.probeAt = now }
            lanes[name] = lane
        }
    }

    mutating func pause(_ name: String, by person: String?, reason: String, at now: Timestamp) {
        var lane = lanes[name] ?? SimulatedLane()
        if let pause = lane.pause, pause.by != nil, person == nil { return }
        lane.pause = LanePause(by: person, reason: reason)
        lane.probeAt = now + .seconds(60)
        lanes[name] = lane
    }

    mutating func resume(_ name: String) {
        guard let pause = lanes[name]?.pause, pause.by == nil else { return }
        lanes[name]?.pause = nil
    }

    mutating func hold(_ name: String, for duration: Duration, at now: Timestamp) {
        let end = now + min(duration, .seconds(3_600))
        lanes[name, default: SimulatedLane()].holdUntil = max(lanes[name]?.holdUntil ?? end, end)
    }
}
