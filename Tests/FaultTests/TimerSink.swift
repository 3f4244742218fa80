import Foundation
import Hummingbird
import Synchronization

/// Answers timers' calls after a while, and notes the runs that they are for.
final class TimerSink: Sendable {
    private struct State {
        /// `Idempotency-Key`s in the order of their arrival.
        var keys: [String] = []
        /// Calls under way by timer.
        var running: [String: Int] = [:]
        /// Timers that were called while a call of theirs was under way.
        var twice: Set<String> = []
        var port: Int?
    }

    private let state = Mutex(State())
    private let latency: Duration

    init(latency: Duration) {
        self.latency = latency
    }

    var boundPort: Int? { state.withLock { $0.port } }
    var keys: [String] { state.withLock { $0.keys } }
    var runningCount: Int { state.withLock { $0.running.values.reduce(0, +) } }
    var calledTwiceAtOnce: Set<String> { state.withLock { $0.twice } }

    /// Serves until cancelled.
    func run() async throws {
        let router = Router()
        router.get("/tick") { request, _ in
            let key = request.headers.first { $0.name.canonicalName == "idempotency-key" }?.value ?? ""
            let timer = String(key.prefix { $0 != "/" })
            self.state.withLock { state in
                state.keys.append(key)
                state.running[timer, default: 0] += 1
                if state.running[timer] != 1 { state.twice.insert(timer) }
            }
            try await Task.sleep(for: self.latency)
            self.state.withLock { $0.running[timer, default: 0] -= 1 }
            return Response(status: .noContent)
        }
        try await router.serve { port in self.state.withLock { $0.port = port } }
    }
}
