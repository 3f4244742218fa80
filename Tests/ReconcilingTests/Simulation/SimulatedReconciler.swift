import Reconciling
import Synchronization
import Timeline

/// A small decision table over a gateway that is slow, fails, hangs and lies about nothing.
final class SimulatedReconciler: Reconciler {
    typealias Answer = SimulatedGateway.Answer

    private let gateway: SimulatedGateway
    private let simulation: Simulation
    /// The process dies here.
    private let die: @Sendable () -> Void
    private let isStormy: @Sendable () -> Bool
    private let running = Mutex<[String: Int]>([:])
    /// The most checks that ran at once, by lane; all together under the empty name.
    private let peaks = Mutex<[String: Int]>([:])

    init(
        _ gateway: SimulatedGateway, _ simulation: Simulation, isStormy: @escaping @Sendable () -> Bool,
        die: @escaping @Sendable () -> Void
    ) {
        self.gateway = gateway
        self.simulation = simulation
        self.isStormy = isStormy
        self.die = die
    }

    func peak(lane: String) -> Int { peaks.withLock { $0[lane] ?? 0 } }

    func check(_ claim: Claim<SimulatedRow>, context: CheckContext) async -> Conclusion<SimulatedChange> {
        count(claim.row.lane, by: 1)
        defer { count(claim.row.lane, by: -1) }
        if claim.row.status == "paid" || claim.row.status == "review" {
            return Conclusion(.settled, next: .rest, reason: "SETTLED", laneSignal: .silent)
        }
        if gateway.truth(of: claim.row.id)?.isPoison == true { die() }
        let isStormy = isStormy()
        let delay = simulation.draw { $0.duration(claim.row.lane == "long" ? 0...40_000_000 : 0...400_000) }
        do {
            if isStormy, simulation.draw({ $0.oneIn(15) }) {
                // Hangs; half of the time it does not hear that it is cancelled.
                let hang = simulation.draw { $0.duration(2_000_000...40_000_000) }
                if simulation.draw({ $0.oneIn(2) }) {
                    await simulation.sleepThrough(hang)
                } else {
                    try await simulation.sleep(for: hang)
                }
            }
            try await simulation.sleep(for: delay / 2)
            if gateway.isMisconfigured(lane: claim.row.lane) {
                return Conclusion(.failed, next: .handBack, laneSignal: .misconfigured("401"))
            }
            if isStormy, simulation.draw({ $0.oneIn(6) }) { return failure("503") }
            let answer = gateway.ask(claim)
            try await simulation.sleep(for: delay / 2)
            return decide(claim, answer)
        } catch {
            return failure("cancelled")
        }
    }

    private func failure(_ error: String) -> Conclusion<SimulatedChange> {
        let isHold = simulation.draw { $0.oneIn(4) }
        return Conclusion(
            .failed, next: .backoff, error: error, laneSignal: .failed(retryAfter: isHold ? .seconds(2) : nil))
    }

    /// The status that an answer leads to.
    static func statusAfter(_ status: String, _ answer: Answer) -> String {
        switch (status, answer) {
        case ("pending", .paid): "paid"
        case ("pending", .closed): "closed"
        case ("cancelled", .paid), ("closed", .paid): "review"
        default: status
        }
    }

    private func decide(_ claim: Claim<SimulatedRow>, _ answer: Answer) -> Conclusion<SimulatedChange> {
        let status = Self.statusAfter(claim.row.status, answer)
        if status == "pending" { return Conclusion(.recheck, next: .cadence, answer: answer.rawValue) }
        let isDuplicate = gateway.truth(of: claim.row.id)?.isDuplicate == true && status == "paid"
        return Conclusion(
            status == "review" ? .review : .settled, next: .rest,
            change: SimulatedChange(status: status, isRefused: isDuplicate), answer: answer.rawValue,
            contradictedBy: answer == .paid ? ["cancelled", "closed"] : ["paid"])
    }

    func refused(
        _ claim: Claim<SimulatedRow>, _ conclusion: Conclusion<SimulatedChange>, by refusal: Refusal
    ) -> Conclusion<SimulatedChange> {
        Conclusion(.review, next: .rest, change: SimulatedChange(status: "review"), answer: "DUPLICATE")
    }

    func poisoned(_ claim: Claim<SimulatedRow>) -> Conclusion<SimulatedChange> {
        Conclusion(
            .review, next: .rest, change: SimulatedChange(status: "review"), answer: "POISON", laneSignal: .silent)
    }

    private func count(_ lane: String, by change: Int) {
        let (inLane, inAll) = running.withLock { running in
            running[lane, default: 0] += change
            running["", default: 0] += change
            return (running[lane] ?? 0, running[""] ?? 0)
        }
        peaks.withLock { peaks in
            peaks[lane] = max(peaks[lane] ?? 0, inLane)
            peaks[""] = max(peaks[""] ?? 0, inAll)
        }
    }
}
