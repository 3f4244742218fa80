import Timeline

/// A row that the poller holds, from its claim until it is settled, handed back or lost.
///
/// Lives on the poller's actor; a class, because it is looked up by token and changed in place.
final class Holding<R: Row, Change: Sendable> {
    enum Stage {
        /// Being asked about.
        case checking
        /// Its settlement waits to be written.
        case ready
        /// Its settlement is on its way to the store.
        case writing
        /// The application holds the row's lock; tried again by a timer.
        case locked
        /// Met a configuration error: given back by a timer, so that nobody asks again at once.
        case cooling
    }

    let claim: Claim<R>
    let scope: CheckScope
    var stage = Stage.checking
    var leaseEnd: Moment
    /// What to write, once there is a conclusion.
    var conclusion: Conclusion<Change>?
    var settlement: Settlement<R.ID, Change>?
    /// Why it was not asked about: its lane is misconfigured.
    var laneError: String?
    /// When it became ready to be written.
    var readyAt: Moment
    var refusalCount = 0
    var lockedCount = 0
    /// Its lease is renewed until it is released.
    var isRenewed = false
    /// Renewals in a row that the store did not make.
    var missedRenewalCount = 0

    init(claim: Claim<R>, scope: CheckScope, leaseEnd: Moment) {
        self.claim = claim
        self.scope = scope
        self.leaseEnd = leaseEnd
        readyAt = leaseEnd
    }

    var lane: Int { scope.lane }

    var held: HeldLease<R.ID> {
        HeldLease(id: claim.row.id, lane: claim.row.lane, lease: claim.lease, error: laneError)
    }
}
