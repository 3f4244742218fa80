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

    /// A merge takes as long as it takes, also by hand.
    @Test func aCheckThatOutlastsItsLeaseHasItRenewed() async throws {
        let (check, row) = try await longCheck { context, _ in
            var (renewals, last) = (0, context.leaseRemaining())
            while renewals < 4, !Task.isCancelled {
                let left = context.leaseRemaining()
                if left > last { renewals += 1 }
                last = left
                await Task.yield()
            }
        }
        #expect(check.outcome == .written(status: "paid"))
        #expect(row.status == "paid")
    }

    @Test func aLeaseThatIsLostEndsTheCheckAndNothingIsWritten() async throws {
        let (check, row) = try await longCheck { context, database in
            database.perform { table, _ in table.rows["r1"]?.leaseToken = 7_777 }
            while !Task.isCancelled { await Task.yield() }
            #expect(context.leaseRemaining() == .zero)
        }
        #expect(check.outcome == .stale)
        #expect(row.status == "pending")
    }

    /// A check of a lane that gives a minute, under a lease of 300 ms.
    private func longCheck(
        _ body: @escaping @Sendable (CheckContext, SimulatedDatabase) async -> Void
    ) async throws -> (OneCheck<SimulatedChange>, SimulatedColumns) {
        let simulation = Simulation(seed: 1)
        let database = SimulatedDatabase { simulation.databaseNow }
        database.perform { table, now in
            table.rows["r1"] = SimulatedColumns(
                id: "r1", lane: "a", status: "pending", nextCheckAt: now, claimCount: 0, createdAt: now)
        }
        let store = DirectStore(database, poller: "p1")
        let lease = Duration.milliseconds(300)
        let request = ClaimRequest<String>(
            lease: lease, quotas: [LaneQuota(lane: "a", count: 1, includesSuspects: true)])
        let sentAt = Moment.now
        let claim = try #require(
            try await store.exchange(Exchange(settlements: [], claim: request)).claimed?.get().claims.first)
        let check = try await reconcileOnce(
            claim, sentAt: sentAt, lease: lease, lane: LaneConfiguration(name: "a", timeout: .seconds(60)),
            store: store,
            reconciler: ScriptedReconciler(simulation: simulation) { _, context, _ in
                await body(context, database)
                return Scenario.paid
            })
        return (check, try #require(database.inspect { $0.rows["r1"] }))
    }
}
