import Synchronization
import Testing
import Timeline

@testable import Reconciling

/// One row checked by hand, by the rules of a poller.
@Suite struct ReconcileOnceTests {
    private func check(isDryRun: Bool) async throws -> (OneCheck<SimulatedChange>, SimulatedColumns, Bool) {
        let simulation = Simulation(seed: 1)
        let database = SimulatedDatabase { simulation.databaseNow }
        database.perform { table, now in
            table.rows["r1"] = SimulatedColumns(
                id: "r1", lane: "a", status: "pending", nextCheckAt: now, claimCount: 0, createdAt: now)
        }
        let store = DirectStore(database, poller: "p1")
        let request = ClaimRequest<String>(
            lease: .seconds(60), quotas: [LaneQuota(lane: "a", count: 1, includesSuspects: true)])
        let claimed = await store.exchange(Exchange(settlements: [], claim: request))
        let claim = try #require(try claimed.claimed?.get().claims.first)
        let isJournaled = Mutex(false)
        let reconciler = ScriptedReconciler(simulation: simulation) { _, context, _ in
            if context.leaseRemaining() > .zero, (try? await context.journal("{}")) == true {
                isJournaled.withLock { $0 = true }
            }
            return Scenario.paid
        }
        let check = try await reconcileOnce(
            claim, sentAt: .now, lease: .seconds(60), lane: LaneConfiguration(name: "a"), store: store,
            reconciler: reconciler, isDryRun: isDryRun)
        let row = try #require(database.inspect { $0.rows["r1"] })
        return (check, row, isJournaled.withLock { $0 })
    }

    @Test func whatIsConcludedIsWritten() async throws {
        let (check, row, isJournaled) = try await check(isDryRun: false)
        #expect(check.outcome == .written(status: "paid"))
        #expect(row.status == "paid")
        #expect(isJournaled)
    }

    /// With a lease left, a check would begin a call that changes the outside world, and then give up for the journal.
    @Test func aDryRunHasNoLeaseToActWithAndReportsTheFirstConclusion() async throws {
        let (check, row, isJournaled) = try await check(isDryRun: true)
        #expect(check.outcome == nil)
        #expect(check.conclusion.change?.status == "paid")
        #expect(!isJournaled)
        #expect(row.status == "pending")
        #expect(row.progress == nil)
        #expect(row.leaseToken == nil)
    }
}
