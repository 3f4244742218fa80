import Logging
import Timeline

extension Poller {
    /// Sends one round: conclusions out, claims back.
    func exchange(_ round: PollLoop.Round, in group: inout DiscardingTaskGroup) {
        let settling = takeReady(round.settleCount, now: round.sentAt)
        let starts = round.parts.map { bounds[$0.lane].start(isSweep: $0.isSweep, now: round.sentAt) }
        let claim =
            round.parts.isEmpty
            ? nil
            : ClaimRequest(
                lease: configuration.lease,
                quotas: zip(round.parts, starts).map { part, start in
                    LaneQuota(
                        lane: loop.lanes[part.lane].name, count: part.count, includesSuspects: part.includesSuspects,
                        from: start.from)
                })
        guard claim != nil || !settling.isEmpty else {
            return loop.finished(round.id, found: [], now: round.sentAt, using: &random)
        }
        trips[round.id] = Trip(round: round, starts: starts, settling: settling)
        let request = Exchange<S.R, S.Change>(settlements: settling.compactMap(\.settlement), claim: claim)
        let (store, mailbox, timekeeper) = (store, mailbox, timekeeper)
        group.addTask(executorPreference: runtime.executor) {
            let result = await store.exchange(request)
            let endedAt = timekeeper.now()
            mailbox.post { $0.exchanged.append(.init(round: round.id, result: result, endedAt: endedAt)) }
        }
    }

    /// The oldest conclusions. One whose lease has lapsed is not written: the row may be another's by now, and what we
    /// know about it is old.
    private func takeReady(_ count: Int, now: Moment) -> [Holding<S.R, S.Change>] {
        var taken: [Holding<S.R, S.Change>] = []
        taken.reserveCapacity(count)
        for holding in ready.prefix(count) {
            if now >= holding.leaseEnd {
                drop(holding, now: now)
            } else {
                holding.stage = .writing
                taken.append(holding)
            }
        }
        ready.removeFirst(min(count, ready.count))
        return taken
    }

    func finishExchange(
        _ letter: Mailbox<S.R, S.Change>.Exchanged, now: Moment, in group: inout DiscardingTaskGroup
    ) {
        guard let trip = trips.removeValue(forKey: letter.round) else { return }
        var faults: [StoreError] = []
        var settledCount = 0
        switch letter.result.settled {
        case .success(let outcomes):
            precondition(outcomes.count == trip.settling.count, "the store owes an outcome for each settlement")
            settledCount = outcomes.count
            for (holding, outcome) in zip(trip.settling, outcomes) { finishSettle(holding, outcome, now: now) }
        case .failure(let error):
            faults.append(error)
            // What was lost on the way may have been written: the fence makes a second write stale.
            for holding in trip.settling where held[holding.claim.lease.token] === holding { holding.stage = .ready }
            ready.insert(
                contentsOf: trip.settling.filter { held[$0.claim.lease.token] === $0 }, at: 0)
        }
        var found: [PollLoop.Found] = []
        var claimedCount = 0
        switch letter.result.claimed {
        case .success(let claimed)?:
            claimedCount = claimed.claims.count
            found = take(claimed, of: trip, now: now, in: &group)
        case .failure(let error)?:
            faults.append(error)
            // If it was done all the same, its rows come back below the bound when their leases lapse.
            for part in trip.round.parts { bounds[part.lane].reset() }
        case nil: break
        }
        if let fault = faults.first(where: { $0.code == .permanent }) {
            loop.failed(trip.round.id, now: now, using: &random)
            fail(fault)
        } else if let fault = faults.first {
            loop.failed(trip.round.id, now: now, using: &random)
            logOutage(fault)
        } else {
            loop.finished(trip.round.id, found: found, now: now, using: &random)
            logRecovery()
            observer?.roundFinished(
                watch: configuration.watch, claimed: claimedCount, settled: settledCount,
                duration: letter.endedAt - trip.round.sentAt)
        }
    }

    private func finishSettle(_ holding: Holding<S.R, S.Change>, _ outcome: SettleOutcome, now: Moment) {
        guard let settlement = holding.settlement, held[holding.claim.lease.token] === holding else { return }
        switch outcome {
        case .written(_, let dueAt, let lane):
            observer?.checkSettled(
                watch: configuration.watch, lane: settlement.held.lane, verdict: settlement.verdict,
                duration: settlement.duration)
            rescheduled(lane ?? settlement.held.lane, to: dueAt, now: now)
            release(holding, now: now)
        case .overtaken(_, let dueAt, let lane):
            observer?.checkSettled(
                watch: configuration.watch, lane: settlement.held.lane, verdict: .overtaken,
                duration: settlement.duration)
            logger.debug("row was settled by someone else meanwhile", metadata: metadata(of: holding))
            rescheduled(lane ?? settlement.held.lane, to: dueAt, now: now)
            release(holding, now: now)
        case .stale:
            logger.info("settlement dropped: the lease was no longer ours", metadata: metadata(of: holding))
            release(holding, now: now)
        case .locked:
            holding.stage = .locked
            holding.lockedCount += 1
            let delay = Backoff.locked.limit(failures: holding.lockedCount)
            timers.insert(PollerTimer(moment: now + delay, kind: .retry(token: holding.claim.lease.token)))
            renewFromNowOn(holding, now: now)
        case .refused(let refusal):
            refused(holding, refusal, now: now)
        }
    }

    /// Nobody is notified of what we write ourselves. It may be due at once, below the rows that were claimed meanwhile.
    private func rescheduled(_ lane: String, to dueAt: Timestamp?, now: Moment) {
        guard let dueAt, let lane = laneIndices[lane] else { return }
        bounds[lane].lower(to: dueAt)
        guard let databaseNow = databaseNow(at: now) else { return }
        loop.rescheduled(lane: lane, to: now + max(dueAt - databaseNow, .zero))
    }

    /// The store refused this row alone: the reconciler says what to write instead, and if that is refused as well the
    /// row only backs off. A third refusal leaves it to its lease; six of those take it to people as poison.
    private func refused(_ holding: Holding<S.R, S.Change>, _ refusal: Refusal, now: Moment) {
        guard let conclusion = holding.conclusion, let settlement = holding.settlement else { return }
        holding.refusalCount += 1
        var metadata = metadata(of: holding)
        metadata["sqlstate"] = "\(refusal.code)"
        metadata["constraint"] = "\(refusal.constraint ?? "")"
        logger.warning("the store refused a conclusion", metadata: metadata)
        switch holding.refusalCount {
        case 1:
            let instead = reconciler.refused(holding.claim, conclusion, by: refusal)
            conclude(holding, instead, duration: settlement.duration, now: now)
        case 2:
            let instead = Conclusion<S.Change>.failed(holding.claim, error: refusal.error, laneSignal: .silent)
            conclude(holding, instead, duration: settlement.duration, now: now)
        default:
            logger.error("nothing can be written for a row; left to its lease", metadata: metadata)
            release(holding, now: now)
        }
    }

    /// Accepts a claim's rows and starts their checks; returns what the claim found, part by part.
    private func take(
        _ claimed: Claimed<S.R>, of trip: Trip, now: Moment, in group: inout DiscardingTaskGroup
    ) -> [PollLoop.Found] {
        var byLane: [[Claim<S.R>]] = Array(repeating: [], count: loop.lanes.count)
        for claim in claimed.claims {
            guard let lane = laneIndices[claim.row.lane] else {
                preconditionFailure("the store brought a row of a lane that was not asked for")
            }
            byLane[lane].append(claim)
        }
        if let claim = claimed.claims.first { databaseClock = (claim.claimedAt, trip.round.sentAt) }
        var horizons: [String: LaneHorizon] = [:]
        for horizon in claimed.horizons { horizons[horizon.lane] = horizon }
        for part in trip.round.parts {
            guard let horizon = horizons[loop.lanes[part.lane].name] else { continue }
            observe(pause: horizon.pause, lane: part.lane)
        }
        for (lane, claims) in byLane.enumerated() where !claims.isEmpty {
            // It is on hold no more, whatever was asked for: the next one that is asked for is told to the store.
            holds[lane] = nil
            // A paused lane gives rows only to find out whether it answers again.
            let isProbe = horizons[loop.lanes[lane].name]?.pause != nil
            start(claims, lane: lane, isProbe: isProbe, sentAt: trip.round.sentAt, now: now, in: &group)
        }
        return zip(trip.round.parts, trip.starts).map { part, start in
            let horizon = horizons[loop.lanes[part.lane].name]
            let claims = byLane[part.lane]
            let isPartial = claims.contains(where: \.isSuspect)
            // A paused lane's probe comes from anywhere: rows below it are due when the lane runs again.
            if isPartial || horizon?.pause != nil {
                bounds[part.lane].giveUp(start)
            } else {
                let last = claims.last.flatMap { claim in claim.dueAt.map { ClaimBound(dueAt: $0, id: claim.row.id) } }
                bounds[part.lane].finish(start, last: last, isFull: claims.count >= part.count)
            }
            return PollLoop.Found(count: claims.count, nextDueIn: horizon?.nextDueIn, isPartial: isPartial)
        }
    }

    func logOutage(_ error: StoreError) {
        let metadata: Logger.Metadata = ["error": "\(error)"]
        guard !isOutageLogged else { return logger.debug("store still unreachable", metadata: metadata) }
        isOutageLogged = true
        logger.warning("store unreachable; retrying until it answers", metadata: metadata)
    }

    func logRecovery() {
        guard isOutageLogged else { return }
        isOutageLogged = false
        logger.notice("store reachable again")
    }
}
