import Logging
import Synchronization
import Timeline

@testable import Reconciling

/// One poller in a calm simulation, for scripts of what it has to do.
final class Scenario: Sendable {
    typealias Check = @Sendable (Claim<SimulatedRow>, CheckContext, Simulation) async -> Conclusion<SimulatedChange>

    let simulation: Simulation
    let database: SimulatedDatabase
    let store: SimulatedStore
    let observer = RecordingObserver()
    let poller: Poller<SimulatedStore, ScriptedReconciler>
    private let executor: SimulatedExecutor
    private let outcome = Mutex<Result<Void, StoreError>?>(nil)

    init(_ configuration: PollerConfiguration, seed: UInt64 = 1, check: @escaping Check) {
        let simulation = Simulation(seed: seed)
        self.simulation = simulation
        database = SimulatedDatabase { simulation.databaseNow }
        store = SimulatedStore(database, simulation, poller: "p1", weather: .calm)
        executor = SimulatedExecutor(simulation, node: 0)
        poller = Poller(
            configuration: configuration, store: store,
            reconciler: ScriptedReconciler(simulation: simulation, script: check), observer: observer,
            logger: Self.logger,
            runtime: PollerRuntime(
                executor: executor, timekeeper: simulation, random: SeededRandom(seed: seed)))
    }

    /// A watch with one lane, `a`, and a lease of 20 s.
    static func watch(
        concurrency: Int = 12, batch: Int = 6, grace: Duration = .seconds(10),
        lanes: [LaneConfiguration] = [LaneConfiguration(name: "a", timeout: .seconds(5))]
    ) -> PollerConfiguration {
        PollerConfiguration(
            watch: "rows", concurrency: concurrency, batch: batch, lease: .seconds(20), grace: grace, lanes: lanes)
    }

    static let logger = Logger(label: "scenario", factory: { _ in SwiftLogNoOpLogHandler() })
    static let paid = Conclusion<SimulatedChange>(.settled, next: .rest, change: SimulatedChange(status: "paid"))

    func insert(_ id: String, lane: String = "a", dueIn: Duration = .zero, claimCount: Int = 0) {
        database.perform { table, now in
            table.rows[id] = SimulatedColumns(
                id: id, lane: lane, status: "pending", nextCheckAt: now + dueIn, claimCount: claimCount, createdAt: now)
        }
    }

    func row(_ id: String) -> SimulatedColumns {
        database.inspect { table in
            guard let row = table.rows[id] else { preconditionFailure("no row \(id)") }
            return row
        }
    }

    /// Runs the poller while `script` advances time; then stops it, and returns how its `run` ended.
    func run(_ script: (Scenario) -> Void) async -> Result<Void, StoreError> {
        await withTaskGroup(of: Void.self) { group in
            group.addTask(executorPreference: executor) {
                let result: Result<Void, StoreError>
                do { result = .success(try await self.poller.run()) } catch { result = .failure(StoreError(error)) }
                self.outcome.withLock { $0 = result }
            }
            script(self)
            stop()
            let isEnded = simulation.run(until: simulation.now() + .seconds(120)) { self.isEnded }
            precondition(isEnded, "the poller does not stop")
        }
        return outcome.withLock { $0 } ?? .success(())
    }

    var isEnded: Bool { outcome.withLock { $0 != nil } }

    func advance(by duration: Duration) {
        _ = simulation.run(until: simulation.now() + duration) { false }
    }

    /// True if it came so within that time.
    func advance(atMost duration: Duration, until condition: () -> Bool) -> Bool {
        simulation.run(until: simulation.now() + duration, isDone: condition)
    }

    func stop() { poller.mailbox.post { $0.isStopped = true } }
}

/// A reconciler whose check is a closure.
struct ScriptedReconciler: Reconciler {
    let simulation: Simulation
    let script: Scenario.Check

    func check(_ claim: Claim<SimulatedRow>, context: CheckContext) async -> Conclusion<SimulatedChange> {
        await script(claim, context, simulation)
    }

    func refused(
        _ claim: Claim<SimulatedRow>, _ conclusion: Conclusion<SimulatedChange>, by refusal: Refusal
    ) -> Conclusion<SimulatedChange> {
        Conclusion(
            .review, next: .rest,
            change: SimulatedChange(status: "review", isRefused: conclusion.reason == "HOPELESS"), reason: "DUPLICATE")
    }

    func poisoned(_ claim: Claim<SimulatedRow>) -> Conclusion<SimulatedChange> {
        Conclusion(.review, next: .rest, change: SimulatedChange(status: "review"), reason: "POISON")
    }
}

/// Remembers what it was told.
final class RecordingObserver: PollerObserver {
    struct Record: Sendable {
        var latenesses: [String: [Duration]] = [:]
        var verdicts: [Verdict] = []
        var pauses: [LanePause?] = []
        var inFlightMax = 0
    }

    private let record = Mutex(Record())

    var seen: Record { record.withLock { $0 } }

    func checkStarted(watch: String, lane: String, lateness: Duration) {
        record.withLock { $0.latenesses[lane, default: []].append(lateness) }
    }

    func checkSettled(watch: String, lane: String, verdict: Verdict, duration: Duration) {
        record.withLock { $0.verdicts.append(verdict) }
    }

    func laneChanged(watch: String, lane: String, pause: LanePause?) {
        record.withLock { $0.pauses.append(pause) }
    }

    func roundFinished(watch: String, claimed: Int, settled: Int, duration: Duration) {}

    func inFlight(watch: String, count: Int) {
        record.withLock { $0.inFlightMax = max($0.inFlightMax, count) }
    }
}
