import Reconciling
import Synchronization
import Timeline

/// One poller's way to the simulated database, which takes time and fails by the seed.
final class SimulatedStore: Store {
    /// How the way there behaves; each fault happens once in so many calls, zero for never.
    struct Weather: Sendable {
        var latency: ClosedRange<Int> = 200...3_000
        /// The call never arrives.
        var lostBefore = 0
        /// It is done, but its answer is lost.
        var lostAfter = 0
        /// It arrives, or its answer, much later.
        var slow = 0
        /// The schema is wrong.
        var isHopeless = false
        /// Nothing gets through.
        var isDown = false

        static let calm = Weather()
        static let storm = Weather(lostBefore: 12, lostAfter: 12, slow: 40)
    }

    private struct State: Sendable {
        var weather: Weather
        var isDead = false
    }

    private let database: SimulatedDatabase
    private let simulation: Simulation
    private let poller: String
    private let state: Mutex<State>

    init(_ database: SimulatedDatabase, _ simulation: Simulation, poller: String, weather: Weather) {
        self.database = database
        self.simulation = simulation
        self.poller = poller
        state = Mutex(State(weather: weather))
    }

    func setWeather(_ weather: Weather) { state.withLock { $0.weather = weather } }

    /// The process was killed: nothing of it reaches the database any more.
    func kill() { state.withLock { $0.isDead = true } }

    /// One trip: there, the statement, and back.
    private func trip<T: Sendable>(
        _ body: @escaping @Sendable (inout SimulatedTable, Timestamp) -> T
    ) async throws(StoreError) -> T {
        try await travel()
        let weather = try living()
        if weather.isHopeless { throw StoreError(.permanent, sqlState: "42P01", message: "no such table") }
        if weather.isDown || chance(weather.lostBefore) { throw StoreError(.transient, message: "connection lost") }
        let result = database.perform { body(&$0, $1) }
        try await travel()
        _ = try living()
        if chance(weather.lostAfter) { throw StoreError(.transient, message: "connection lost") }
        return result
    }

    private func living() throws(StoreError) -> Weather {
        let state = state.withLock { $0 }
        if state.isDead { throw StoreError(.transient, message: "killed") }
        return state.weather
    }

    private func travel() async throws(StoreError) {
        let weather = try living()
        var latency = simulation.draw { $0.duration(weather.latency) }
        if chance(weather.slow) { latency = simulation.draw { $0.duration(1_000_000...20_000_000) } }
        await simulation.sleepThrough(latency)
    }

    private func chance(_ count: Int) -> Bool { count > 0 && simulation.draw { $0.oneIn(count) } }

    // MARK: Store

    func exchange(_ request: Exchange<SimulatedRow, SimulatedChange>) async -> ExchangeResult<SimulatedRow> {
        let poller = poller
        let settled: Result<[SettleOutcome], StoreError>
        do throws(StoreError) {
            settled = .success(
                try await trip { table, now in
                    request.settlements.map { table.settle($0, by: poller, at: now) }
                })
        } catch { settled = .failure(error) }
        guard let claim = request.claim else { return ExchangeResult(settled: settled, claimed: nil) }
        do throws(StoreError) {
            let claimed = try await trip { $0.claim(claim, by: poller, at: $1) }
            return ExchangeResult(settled: settled, claimed: .success(claimed))
        } catch { return ExchangeResult(settled: settled, claimed: .failure(error)) }
    }

    func renew(_ leases: [HeldLease<String>], for duration: Duration) async throws -> Set<Int64> {
        let poller = poller
        return try await trip { $0.renew(leases, for: duration, by: poller, at: $1) }
    }

    func handBack(_ leases: [HeldLease<String>]) async throws {
        let poller = poller
        try await trip { $0.handBack(leases, by: poller, at: $1) }
    }

    func journal(_ lease: HeldLease<String>, progress: String) async throws -> Bool {
        let poller = poller
        return try await trip { $0.journal(lease, progress: progress, by: poller, at: $1) }
    }

    func register(lanes: [String]) async throws { try await trip { $0.register(lanes, at: $1) } }

    func pause(lane: String, reason: String) async throws {
        try await trip { $0.pause(lane, by: nil, reason: reason, at: $1) }
    }

    func resume(lane: String) async throws { try await trip { table, _ in table.resume(lane) } }

    func hold(lane: String, for duration: Duration) async throws {
        try await trip { $0.hold(lane, for: duration, at: $1) }
    }

    func heartbeat(stopping: Bool) async throws { try await trip { _, _ in } }

    func wakeups() -> AsyncStream<Wakeup> { database.listen() }
}
