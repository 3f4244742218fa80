import Postgres
import PostgresStore
import Reconciling
import Timeline

extension ServedWatch {
    /// Claims one row, asks about it and settles it, as a poller would.
    ///
    /// - Parameter isDryRun: asks only; nothing is claimed or written.
    func check(
        _ id: String, isDryRun: Bool, session: DatabaseSession, outside: OutsideWorld
    ) async throws -> CheckReport {
        let poller = PollerIdentity(version: ProgramVersion.text).poller(of: name)
        let desk = WatchDesk<Table>(pool: session.pool, actor: DatabaseSession.actor)
        let sentAt = Moment.now
        let claimed =
            isDryRun ? try await desk.read(id) : try await desk.claim(id, poller: poller, lease: settings.lease)
        guard let claim = claimed else {
            guard try await desk.show(id) != nil else { throw Self.noRow(id) }
            throw CommandFailure("a poller is checking the \(Self.noun) at this moment")
        }
        let store = PostgresStore<Table>(
            pool: session.pool, listener: nil, poller: poller, recordsChecks: settings.record == .all,
            logger: session.logger)
        guard let lane = lanes.first(where: { $0.name == claim.row.lane }) else {
            if !isDryRun {
                let held = HeldLease(id: claim.row.id, lane: claim.row.lane, lease: claim.lease)
                try await store.handBack([held])
            }
            throw CommandFailure(
                "no \(Self.laneNoun) \(JSONText.quoted(claim.row.lane)) is configured",
                code: CommandFailure.badConfiguration)
        }
        // A dry run of the policy says what it would do, and asks for nothing but the row's state.
        let asking = isDryRun ? dryRunning() : self
        let check = try await reconcileOnce(
            claim, sentAt: sentAt, lease: settings.lease, lane: lane, store: store,
            reconciler: asking.reconciler(outside), isDryRun: isDryRun)
        return CheckReport(claim.row, check, watch: Self.self, isDryRun: isDryRun || isDryRunning(claim.row.lane))
    }
}
