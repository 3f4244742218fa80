import Testing
import Timeline

@testable import Reconciling

@Suite struct EngineThreadTests {
    @Test func sleepersWakeInTheOrderOfTheirMoments() async throws {
        let thread = EngineThread()
        let start = thread.now()
        let order = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in [3, 1, 2] {
                // On the thread itself: on the pool, among busy tests, one may begin to sleep after another has woken.
                group.addTask(executorPreference: thread) {
                    try await thread.sleep(until: start + .milliseconds(20 * number))
                    #expect(thread.now() >= start + .milliseconds(20 * number))
                    return number
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(order == [1, 2, 3])
    }

    @Test func aCancelledSleeperThrowsAtOnce() async {
        let thread = EngineThread()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await #expect(throws: CancellationError.self) {
                    try await thread.sleep(until: thread.now() + .seconds(3_600))
                }
            }
            group.cancelAll()
        }
    }

    /// A whole poller on its own thread and the real clock: what is measured is that it ends with everything done.
    @Test func aPollerDrainsATableOnItsOwnThread() async throws {
        let database = SimulatedDatabase { Simulation.epoch + (Moment.now - Moment(nanoseconds: 0)) }
        database.perform { table, now in
            for number in 0..<500 {
                let id = "r\(number)"
                table.rows[id] = SimulatedColumns(
                    id: id, lane: "a", status: "pending", nextCheckAt: now, createdAt: now)
            }
        }
        let poller = Poller(
            configuration: PollerConfiguration(
                watch: "rows", concurrency: 100, batch: 50, lanes: [LaneConfiguration(name: "a")]),
            store: DirectStore(database, poller: "p1"),
            reconciler: ScriptedReconciler(simulation: Simulation(seed: 1)) { _, _, _ in Scenario.paid },
            logger: Scenario.logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await poller.run() }
            let deadline = Moment.now + .seconds(60)
            while Moment.now < deadline, database.inspect({ $0.rows.values.contains { $0.nextCheckAt != nil } }) {
                await Task.yield()
            }
            poller.mailbox.post { $0.isStopped = true }
            try await group.waitForAll()
        }
        #expect(
            database.inspect { table in table.rows.values.allSatisfy { $0.status == "paid" && $0.checkCount == 1 } })
    }
}
