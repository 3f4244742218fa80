import Timeline

/// Runs checks, off the poller's thread.
struct CheckRun<S: Store, C: Reconciler>: Sendable where C.R == S.R, C.Change == S.Change {
    let watch: String
    let store: S
    let reconciler: C
    let timekeeper: any Timekeeper
    let observer: (any PollerObserver)?
    let mailbox: Mailbox<S.R, S.Change>

    /// Checks rows that share a deadline; returns when all have ended.
    func run(_ claims: [Claim<S.R>], in scope: CheckScope) async {
        await withDiscardingTaskGroup { group in
            for claim in claims { group.addTask { await check(claim, in: scope) } }
            if await scope.untilOver() { group.cancelAll() }
        }
    }

    private func check(_ claim: Claim<S.R>, in scope: CheckScope) async {
        let startedAt = timekeeper.now()
        let lateness = claim.dueAt.map { (claim.claimedAt - $0) + (startedAt - scope.sentAt) } ?? .zero
        observer?.checkStarted(watch: watch, lane: claim.row.lane, lateness: lateness)
        let conclusion = await reconciler.check(claim, context: Self.context(of: claim, in: scope, store: store))
        let endedAt = timekeeper.now()
        mailbox.post {
            $0.concluded.append(
                .init(
                    token: claim.lease.token, lane: scope.lane, scope: scope.id, conclusion: conclusion,
                    startedAt: startedAt, endedAt: endedAt))
        }
        scope.checkEnded()
    }

    static func context(of claim: Claim<S.R>, in scope: CheckScope, store: S) -> CheckContext {
        let held = HeldLease(id: claim.row.id, lane: claim.row.lane, lease: claim.lease)
        return CheckContext(
            deadline: scope.deadline,
            now: { scope.databaseNow },
            leaseRemaining: { scope.leaseRemaining },
            journal: { progress in
                guard scope.leaseRemaining > .zero else { return false }
                return try await store.journal(held, progress: progress)
            },
            isProbe: scope.isProbe)
    }
}
