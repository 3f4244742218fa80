import Timeline

/// What came of one row that was checked by itself.
public struct OneCheck<Change: Sendable>: Sendable {
    public var conclusion: Conclusion<Change>
    /// What the store made of it; nil if the row was handed back unchanged.
    public var outcome: SettleOutcome?
}

/// Checks one row that the caller has claimed, and settles it by the very rules of a poller.
///
/// For a person who asks about one row now. The store's errors are thrown: nobody wants to wait for them to heal.
///
/// - Parameters:
///   - sentAt: the moment before the claim was sent.
///   - lease: what the claim asked for.
///   - isDryRun: asks, and hands the row back instead of writing the conclusion; the check may neither journal nor
///     change the outside world.
public func reconcileOnce<S: Store, C: Reconciler>(
    _ claim: Claim<S.R>, sentAt: Moment, lease: Duration, lane: LaneConfiguration, store: S, reconciler: C,
    isDryRun: Bool = false, timekeeper: any Timekeeper = EngineThread()
) async throws -> OneCheck<S.Change> where C.R == S.R, C.Change == S.Change {
    let startedAt = timekeeper.now()
    let keeper = LeaseKeeper(
        store: store, held: HeldLease(id: claim.row.id, lane: claim.row.lane, lease: claim.lease), lease: lease,
        timekeeper: timekeeper)
    // A check that may outlast the lease has it renewed. A dry run holds none.
    let isRenewed = !isDryRun && lane.timeout > lease - keeper.margin
    let scope = CheckScope(
        id: 0, lane: 0, count: 1, sentAt: sentAt,
        deadline: isRenewed ? startedAt + lane.timeout : min(startedAt + lane.timeout, sentAt + lease - keeper.margin),
        leaseEnd: sentAt + lease, claimedAt: claim.claimedAt, timekeeper: timekeeper)
    var context = CheckRun<S, C>.context(of: claim, in: scope, store: store)
    if isDryRun {
        // No call that changes the outside world finds enough of a lease to start with; none may be journaled.
        context.leaseRemaining = { .zero }
        context.journal = { _ in false }
        context.isDryRun = true
    }
    var conclusion = await answer(claim, context: context, reconciler: reconciler) {
        if isRenewed {
            await keeper.keep(scope)
        } else {
            // Cancelled as soon as there is a conclusion.
            do { try await timekeeper.sleep(until: scope.deadline) } catch { return }
        }
    }
    let duration = timekeeper.now() - startedAt
    var random = SystemRandomNumberGenerator()
    var refusals = 0
    var locks = 0
    while true {
        let age = scope.databaseNow - (conclusion.cadenceAnchor ?? claim.cadenceAnchor)
        let settlement = Settlement(
            claim, conclusion, cadence: Cadence(lane.cadence), age: age, duration: duration, using: &random)
        guard let settlement, !isDryRun else {
            var held = keeper.held
            if !isDryRun, case .misconfigured(let reason) = conclusion.laneSignal { held.error = reason }
            try await store.handBack([held])
            return OneCheck(conclusion: conclusion, outcome: nil)
        }
        let result = await store.exchange(Exchange(settlements: [settlement], claim: nil))
        switch try result.settled.get().first {
        case .refused(let refusal)? where refusals == 0:
            refusals += 1
            conclusion = reconciler.refused(claim, conclusion, by: refusal)
        case .locked? where scope.leaseRemaining > .zero:
            locks += 1
            try await timekeeper.sleep(until: timekeeper.now() + Backoff.locked.limit(failures: locks))
        case let outcome?:
            return OneCheck(conclusion: conclusion, outcome: outcome)
        case nil:
            preconditionFailure("the store owes an outcome for each settlement")
        }
    }
}

/// Asks, and cancels the check as soon as `end` returns.
private func answer<C: Reconciler>(
    _ claim: Claim<C.R>, context: CheckContext, reconciler: C, until end: @escaping @Sendable () async -> Void
) async -> Conclusion<C.Change> {
    await withTaskGroup(of: Conclusion<C.Change>?.self) { group in
        group.addTask { await reconciler.check(claim, context: context) }
        group.addTask {
            await end()
            return nil
        }
        var conclusion: Conclusion<C.Change>?
        while let next = await group.next() {
            group.cancelAll()
            conclusion = next ?? conclusion
        }
        guard let conclusion else { preconditionFailure("a check ends with a conclusion") }
        return conclusion
    }
}

/// Renews one lease at a third of it, by the rules of a poller.
private struct LeaseKeeper<S: Store>: Sendable {
    let store: S
    let held: HeldLease<S.R.ID>
    let lease: Duration
    let timekeeper: any Timekeeper

    /// What a check leaves of its lease for settling.
    var margin: Duration { lease / 4 }

    /// Returns at the check's deadline, when the lease is lost or about to lapse, and when its task is cancelled.
    func keep(_ scope: CheckScope) async {
        var leaseEnd = scope.sentAt + lease
        var next = leaseEnd - lease * 2 / 3
        var isMissed = false
        while true {
            let end = min(scope.deadline, leaseEnd - margin)
            do { try await timekeeper.sleep(until: min(next, end)) } catch { return }
            let now = timekeeper.now()
            guard now < end else { return }
            do {
                if try await store.renew([held], for: lease).contains(held.lease.token) {
                    leaseEnd = now + lease
                    scope.setLeaseEnd(leaseEnd)
                    isMissed = false
                    next = leaseEnd - lease * 2 / 3
                    continue
                }
                // The application may just hold the row's lock: a store does not wait for it.
                guard !isMissed else { return scope.setLeaseEnd(timekeeper.now()) }
                isMissed = true
            } catch {
                // The store's error; it is tried again while there is time, and the settle tells of it.
            }
            next = timekeeper.now() + lease / 12
        }
    }
}
