import Logging
import Timeline

extension Poller {
    /// What a check leaves of its lease for settling.
    nonisolated var leaseMargin: Duration { min(configuration.lease / 4, .seconds(5)) }

    /// Starts the checks of one lane's rows that one claim brought.
    func start(
        _ claims: [Claim<S.R>], lane: Int, isProbe: Bool, sentAt: Moment, now: Moment,
        in group: inout DiscardingTaskGroup
    ) {
        let leaseEnd = sentAt + configuration.lease
        let timeout = configuration.lanes[lane].timeout
        let isRenewed = timeout > configuration.lease - leaseMargin
        let deadline = isRenewed ? now + timeout : min(now + timeout, leaseEnd - leaseMargin)
        var checked: [Claim<S.R>] = []
        for claim in claims {
            if isDraining || isLeaving {
                handBacks.append(HeldLease(id: claim.row.id, lane: claim.row.lane, lease: claim.lease))
            } else if claim.claimCount >= Self.poisonClaimCount {
                let scope = scope(
                    of: [claim], lane: lane, isProbe: isProbe, sentAt: sentAt, deadline: deadline, leaseEnd: leaseEnd)
                let holding = hold(claim, in: scope, leaseEnd: leaseEnd)
                logger.error("row was claimed too often without a settle", metadata: metadata(of: holding))
                conclude(holding, reconciler.poisoned(claim), duration: .zero, now: now)
                probeAgain(lane: lane, in: &group)
            } else {
                checked.append(claim)
            }
        }
        if isRenewed {
            for claim in checked {
                run(
                    [claim], lane: lane, isProbe: isProbe, sentAt: sentAt, deadline: deadline, leaseEnd: leaseEnd,
                    in: &group)
                if let holding = held[claim.lease.token] { renewFromNowOn(holding, now: now) }
            }
        } else if !checked.isEmpty {
            run(
                checked, lane: lane, isProbe: isProbe, sentAt: sentAt, deadline: deadline, leaseEnd: leaseEnd,
                in: &group)
        }
    }

    private func run(
        _ claims: [Claim<S.R>], lane: Int, isProbe: Bool, sentAt: Moment, deadline: Moment, leaseEnd: Moment,
        in group: inout DiscardingTaskGroup
    ) {
        let scope = scope(
            of: claims, lane: lane, isProbe: isProbe, sentAt: sentAt, deadline: deadline, leaseEnd: leaseEnd)
        for claim in claims { _ = hold(claim, in: scope, leaseEnd: leaseEnd) }
        scopes[scope.id] = Running(scope: scope, tokens: claims.map(\.lease.token), left: claims.count)
        runningByLane[lane] += claims.count
        let first = min(deadline, leaseEnd - leaseMargin)
        timers.insert(PollerTimer(moment: first, kind: .deadline(scope: scope.id)))
        let checks = CheckRun(
            watch: configuration.watch, store: store, reconciler: reconciler, timekeeper: timekeeper,
            observer: observer, mailbox: mailbox)
        group.addTask { await checks.run(claims, in: scope) }
    }

    private func scope(
        of claims: [Claim<S.R>], lane: Int, isProbe: Bool, sentAt: Moment, deadline: Moment, leaseEnd: Moment
    ) -> CheckScope {
        scopeCount += 1
        return CheckScope(
            id: scopeCount, lane: lane, count: claims.count, sentAt: sentAt, deadline: deadline, leaseEnd: leaseEnd,
            claimedAt: claims[0].claimedAt, isProbe: isProbe, timekeeper: timekeeper)
    }

    private func hold(_ claim: Claim<S.R>, in scope: CheckScope, leaseEnd: Moment) -> Holding<S.R, S.Change> {
        let holding = Holding<S.R, S.Change>(claim: claim, scope: scope, leaseEnd: leaseEnd)
        held[claim.lease.token] = holding
        if claim.isSuspect { suspects[scope.lane] = claim.lease.token }
        return holding
    }

    func finishCheck(
        _ letter: Mailbox<S.R, S.Change>.Concluded, now: Moment, in group: inout DiscardingTaskGroup
    ) {
        runningByLane[letter.lane] -= 1
        scopes[letter.scope]?.left -= 1
        if scopes[letter.scope]?.left == 0 { scopes[letter.scope] = nil }
        heed(letter.conclusion.laneSignal, of: letter, now: now, in: &group)
        // Nobody waits for it any more: the lease was lost, or the engine concluded in its place.
        guard let holding = held[letter.token], holding.stage == .checking else { return }
        conclude(holding, letter.conclusion, duration: letter.endedAt - letter.startedAt, now: now)
    }

    /// Makes a conclusion ready to be written, or hands the row back.
    func conclude(
        _ holding: Holding<S.R, S.Change>, _ conclusion: Conclusion<S.Change>, duration: Duration, now: Moment
    ) {
        guard now < holding.leaseEnd else { return drop(holding, now: now) }
        let claim = holding.claim
        let age = (claim.claimedAt + (now - holding.scope.sentAt)) - (conclusion.cadenceAnchor ?? claim.cadenceAnchor)
        let settlement = Settlement(
            claim, conclusion, cadence: cadences[holding.lane], age: age, duration: duration, using: &random)
        guard let settlement else {
            guard case .misconfigured(let reason) = conclusion.laneSignal else { return handBack(holding, now: now) }
            // The lane answers for it; but where few rows are due it never pauses, and only the row can tell.
            holding.laneError = reason
            return isDraining ? handBack(holding, now: now) : coolDown(holding, now: now)
        }
        holding.conclusion = conclusion
        holding.settlement = settlement
        holding.stage = .ready
        holding.readyAt = now
        ready.append(holding)
    }

    func handBack(_ holding: Holding<S.R, S.Change>, now: Moment) {
        if holding.stage == .cooling { coolingByLane[holding.lane] -= 1 }
        handBacks.append(holding.held)
        release(holding, now: now)
        leaveBehind(lane: holding.lane, now: now)
    }

    /// Keeps the row for a while before it is given back. While other rows of its lane are answered nothing else keeps
    /// pollers from asking about it as fast as the error comes. Should this one die meanwhile, the lease does the rest.
    private func coolDown(_ holding: Holding<S.R, S.Change>, now: Moment) {
        holding.stage = .cooling
        coolingByLane[holding.lane] += 1
        // Longer than the lane waits: the next one asked is another row, and the guard learns whether it is the row.
        let end = min(now + PollLoop.suspicionBackoff.ceiling, holding.leaseEnd - leaseMargin)
        timers.insert(PollerTimer(moment: end, kind: .handBack(token: holding.claim.lease.token)))
    }

    /// The poller has nothing more to do with the row.
    func release(_ holding: Holding<S.R, S.Change>, now: Moment) {
        let token = holding.claim.lease.token
        held[token] = nil
        guard suspects[holding.lane] == token else { return }
        suspects[holding.lane] = nil
        leaveBehind(lane: holding.lane, now: now)
    }

    /// Rows of this lane are due below its bound.
    private func leaveBehind(lane: Int, now: Moment) {
        bounds[lane].reset()
        loop.leftBehind(lane: lane, now: now)
    }

    /// The lease has lapsed: what the check concluded is not written, and the row is checked again.
    func drop(_ holding: Holding<S.R, S.Change>, now: Moment) {
        logger.warning("conclusion dropped: its lease has lapsed", metadata: metadata(of: holding))
        release(holding, now: now)
    }

    func metadata(of holding: Holding<S.R, S.Change>) -> Logger.Metadata {
        [
            "row": "\(holding.claim.row.id)", "lane": "\(holding.claim.row.lane)",
            "lease_token": "\(holding.claim.lease.token)",
        ]
    }
}
