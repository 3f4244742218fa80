import Reconciling
import Synchronization
import Timeline

/// The outside world of a simulation: what is true of each row at each moment, and what was said about it.
final class SimulatedGateway: Sendable {
    enum Answer: String, Sendable {
        case notPaidYet, paid, closed
    }

    /// From `at` on the answer is `answer`; before that, not paid yet.
    struct Truth: Sendable {
        var answer: Answer
        var at: Moment
        /// Another row holds the transaction: the store refuses to write it.
        var isDuplicate = false
        /// Whoever asks about it dies.
        var isPoison = false
    }

    /// An answer that was given to the holder of a token.
    struct Given: Sendable {
        var row: String
        var token: Int64
        var answer: Answer
        var at: Timestamp
    }

    private struct State: Sendable {
        var truths: [String: Truth] = [:]
        var given: [Given] = []
        var misconfigured: [String: ClosedRange<Moment>] = [:]
    }

    private let simulation: Simulation
    private let state = Mutex(State())

    init(_ simulation: Simulation) {
        self.simulation = simulation
    }

    func set(_ truth: Truth, of row: String) { state.withLock { $0.truths[row] = truth } }

    func truth(of row: String) -> Truth? { state.withLock { $0.truths[row] } }

    /// The lane's key is wrong for so long.
    func misconfigure(lane: String, during range: ClosedRange<Moment>) {
        state.withLock { $0.misconfigured[lane] = range }
    }

    func isMisconfigured(lane: String) -> Bool {
        let now = simulation.now()
        return state.withLock { $0.misconfigured[lane]?.contains(now) ?? false }
    }

    func ask(_ claim: Claim<SimulatedRow>) -> Answer {
        let (now, databaseNow) = (simulation.now(), simulation.databaseNow)
        return state.withLock { state in
            guard let truth = state.truths[claim.row.id] else { return .notPaidYet }
            let answer = now >= truth.at ? truth.answer : .notPaidYet
            state.given.append(
                Given(row: claim.row.id, token: claim.lease.token, answer: answer, at: databaseNow))
            return answer
        }
    }

    var given: [Given] { state.withLock { $0.given } }
}
