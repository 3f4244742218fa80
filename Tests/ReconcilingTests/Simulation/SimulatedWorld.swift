import Logging
import Synchronization
import Timeline

@testable import Reconciling

/// A whole deployment under one seed: pollers that crash and freeze, a store behind a bad network, applications that
/// write while checks run, and a gateway whose truth changes.
final class SimulatedWorld: Sendable {
    /// Faults happen until then; afterwards everything has to come right.
    static let stormEnd = Moment(nanoseconds: 45_000_000_000)
    static let end = Moment(nanoseconds: 600_000_000_000)
    static let lanes = ["short", "long", "key"]

    let seed: UInt64
    let simulation: Simulation
    let database: SimulatedDatabase
    let gateway: SimulatedGateway
    private let executors: [SimulatedExecutor]
    private let isOver = Mutex(false)
    private let liveCount = Mutex(0)
    private let excesses = Mutex<[String]>([])

    init(seed: UInt64, flaws: Flaws = []) {
        self.seed = seed
        let simulation = Simulation(seed: seed)
        self.simulation = simulation
        database = SimulatedDatabase(flaws: flaws) { simulation.databaseNow }
        gateway = SimulatedGateway(simulation)
        // The last is the applications'.
        executors = (0..<4).map { SimulatedExecutor(simulation, node: $0) }
    }

    static var configuration: PollerConfiguration {
        PollerConfiguration(
            watch: "rows", concurrency: 12, batch: 6, lease: .seconds(20), grace: .seconds(10),
            lanes: [
                LaneConfiguration(name: "short", timeout: .seconds(5), cadence: [.seconds(2), .seconds(10)]),
                // Outlives its lease by renewals.
                LaneConfiguration(name: "long", concurrency: 4, timeout: .seconds(60), cadence: [.seconds(5)]),
                // Only a nudge brings the next check before the simulation ends.
                LaneConfiguration(name: "key", timeout: .seconds(5), cadence: [.seconds(3_600)]),
            ])
    }

    var isStormy: Bool { simulation.now() < Self.stormEnd }

    /// Runs the world to its end; returns what went wrong.
    func run() async -> [String] {
        insertRows()
        var isStopped = false
        await withTaskGroup(of: Void.self) { group in
            liveCount.withLock { $0 = 5 }
            for node in 0..<3 {
                group.addTask(executorPreference: executors[node]) {
                    await self.live(node: node)
                    self.liveCount.withLock { $0 -= 1 }
                }
            }
            group.addTask(executorPreference: executors[3]) {
                await self.disturb()
                self.liveCount.withLock { $0 -= 1 }
            }
            group.addTask(executorPreference: executors[3]) {
                await self.announce()
                self.liveCount.withLock { $0 -= 1 }
            }
            var seenCount = 0
            _ = simulation.run(until: Self.end) {
                let count = database.statementCount
                defer { seenCount = count }
                return count != seenCount && isSettled
            }
            isOver.withLock { $0 = true }
            isStopped = simulation.run(until: Self.end + .seconds(120)) { self.liveCount.withLock { $0 } == 0 }
            // A node that never ends would keep the test from ending: say so instead.
            precondition(isStopped, "seed \(seed): the pollers do not stop")
        }
        let seconds = Int((simulation.now() - Moment(nanoseconds: 0)).inSeconds)
        if database.statementCount > 30 * seconds {
            note("\(database.statementCount) statements in \(seconds) s: something spins")
        }
        return excesses.withLock { $0 } + HistoryChecker(self).violations()
    }

    private var isSettled: Bool {
        guard !isStormy else { return false }
        return database.inspect { table in table.rows.values.allSatisfy { $0.nextCheckAt == nil } }
    }

    private func insertRows() {
        for number in 0..<36 {
            let id = "r\(number)"
            let lane = Self.lanes[number % 3]
            let (dueIn, paidAt, isClosed, isDuplicate) = simulation.draw {
                ($0.duration(0...10_000_000), $0.duration(0...38_000_000), $0.oneIn(4), $0.oneIn(10))
            }
            let isPoison = number == 0 && simulation.draw { $0.oneIn(3) }
            gateway.set(
                .init(
                    answer: isClosed ? .closed : .paid, at: simulation.now() + paidAt,
                    isDuplicate: isDuplicate && !isClosed, isPoison: isPoison), of: id)
            database.perform { table, now in
                table.rows[id] = SimulatedColumns(
                    id: id, lane: lane, status: "pending", nextCheckAt: now + dueIn, createdAt: now)
            }
        }
        if simulation.draw({ $0.oneIn(2) }) {
            let (start, length) = simulation.draw { ($0.duration(0...20_000_000), $0.duration(1_000_000...30_000_000)) }
            let from = simulation.now() + start
            gateway.misconfigure(lane: "key", during: from...(from + length))
        }
    }

    // MARK: Pollers

    /// One node: a poller, its crashes, and its restarts under a new name.
    private func live(node: Int) async {
        var generation = 0
        while !isOver.withLock({ $0 }) {
            generation += 1
            await liveOnce(node: node, name: "p\(node).\(generation)")
            let pause = simulation.draw { $0.duration(100_000...5_000_000) }
            await simulation.sleepThrough(pause)
        }
    }

    private func liveOnce(node: Int, name: String) async {
        let store = SimulatedStore(database, simulation, poller: name, weather: isStormy ? .storm : .calm)
        let mortality = Mortality()
        let reconciler = SimulatedReconciler(
            gateway, simulation, isStormy: { self.isStormy },
            die: {
                store.kill()
                mortality.die()
            })
        let random = SeededRandom(seed: simulation.draw { $0.next() })
        let poller = Poller(
            configuration: Self.configuration, store: store, reconciler: reconciler,
            logger: Logger(label: "simulation", factory: { _ in SwiftLogNoOpLogHandler() }),
            runtime: PollerRuntime(executor: executors[node], timekeeper: simulation, random: random))
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do { try await poller.run() } catch { self.note("a poller failed: \(error)") }
            }
            group.addTask { await self.rule(node: node, store: store, poller: poller, mortality: mortality) }
            await group.next()
            // Either the poller ended by itself, or its process dies: nothing of it may reach the store any more.
            group.cancelAll()
        }
        for lane in Self.configuration.lanes where reconciler.peak(lane: lane.name) > lane.concurrency ?? 12 {
            note("\(name) ran \(reconciler.peak(lane: lane.name)) checks at once in \(lane.name)")
        }
        if reconciler.peak(lane: "") > 12 { note("\(name) ran \(reconciler.peak(lane: "")) checks at once") }
    }

    /// Crashes, freezes and at last stops a poller. Returns when its process is to be killed.
    private func rule(
        node: Int, store: SimulatedStore,
        poller: Poller<SimulatedStore, SimulatedReconciler>, mortality: Mortality
    ) async {
        while !Task.isCancelled {
            let (step, isCrash, isFreeze, isStop) = simulation.draw {
                ($0.duration(200_000...3_000_000), $0.oneIn(20), $0.oneIn(20), $0.oneIn(30))
            }
            do { try await simulation.sleep(for: step) } catch { return }
            if mortality.isDead { return }
            if isOver.withLock({ $0 }) { poller.mailbox.post { $0.isStopped = true } }
            guard isStormy else {
                store.setWeather(.calm)
                continue
            }
            if isStop { poller.mailbox.post { $0.isStopped = true } }
            if isFreeze {
                let length = simulation.draw { $0.duration(1_000_000...45_000_000) }
                simulation.freeze(node: node, until: simulation.now() + length)
            }
            if isCrash {
                store.kill()
                return
            }
        }
    }

    // MARK: Applications

    /// Webhooks, cancellations, nudges and row locks, at any time.
    private func disturb() async {
        let ids = (0..<36).map { "r\($0)" }
        while isStormy {
            let (step, id, choice) = simulation.draw {
                (
                    $0.duration(10_000...600_000), ids[Int.random(in: 0..<ids.count, using: &$0)],
                    Int.random(in: 0..<10, using: &$0)
                )
            }
            await simulation.sleepThrough(step)
            switch choice {
            case 0: apply("cancelled", to: id)
            case 1: webhook(id)
            case 2: await lock(id)
            default: nudge(id)
            }
        }
        // Whoever only changed a status waits for the next check by its cadence, which may be an hour away.
        for id in ids { nudge(id) { $0 != "pending" } }
    }

    /// The gateway tells of each row once, when its truth changes: a nudge that must not be lost.
    private func announce() async {
        let ids = (0..<36).map { "r\($0)" }
        let news = ids.map { id in (gateway.truth(of: id)?.at ?? simulation.now(), id) }
        for (moment, id) in news.sorted(by: { $0 < $1 }) {
            await simulation.sleepThrough(moment - simulation.now())
            nudge(id)
        }
    }

    /// `UPDATE … SET status = … WHERE status = 'pending'`: an application that only changes the status.
    private func apply(_ status: String, to id: String, rests: Bool = false) {
        database.perform { table, now in
            guard let row = table.rows[id], row.status == "pending", !row.isLocked else { return }
            table.rows[id]?.status = status
            if rests { table.rows[id]?.nextCheckAt = nil }
            table.log.append(SimulatedEvent(at: now, row: id, kind: .applied(status: status)))
        }
    }

    /// The gateway's own notification, which races the check.
    private func webhook(_ id: String) {
        guard let truth = gateway.truth(of: id), truth.answer == .paid, !truth.isDuplicate,
            simulation.now() >= truth.at
        else { return }
        apply("paid", to: id, rests: simulation.draw { $0.oneIn(2) })
    }

    private func nudge(_ id: String, if isWanted: (String) -> Bool = { $0 == "pending" || $0 == "cancelled" }) {
        let nudged = database.perform { table, now -> (lane: String, at: Timestamp)? in
            guard let row = table.rows[id], row.nextCheckAt != nil, isWanted(row.status) else { return nil }
            table.rows[id]?.nextCheckAt = now
            table.log.append(SimulatedEvent(at: now, row: id, kind: .nudged))
            return (row.lane, now)
        }
        if let nudged, !isStormy || simulation.draw({ !$0.oneIn(3) }) {
            // Some say when, as a notification does, some that it was now, as the process itself does.
            database.notify(lane: nudged.lane, dueFrom: id.utf8.count.isMultiple(of: 2) ? nudged.at : nil)
        }
    }

    private func lock(_ id: String) async {
        let length = simulation.draw { $0.duration(1_000...8_000_000) }
        database.perform { table, _ in table.rows[id]?.isLocked = true }
        await simulation.sleepThrough(length)
        database.perform { table, _ in table.rows[id]?.isLocked = false }
    }

    private func note(_ text: String) { excesses.withLock { $0.append(text) } }
}

/// Whether a process was killed from within.
final class Mortality: Sendable {
    private let state = Mutex(false)

    var isDead: Bool { state.withLock { $0 } }

    func die() { state.withLock { $0 = true } }
}
