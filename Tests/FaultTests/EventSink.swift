import Hummingbird
import Synchronization

/// Receives webhooks: notes each call in the order of their arrival, and answers after a while.
final class EventSink: Sendable {
    struct Call: Hashable, Sendable {
        /// `webhook-id`.
        var id: String
        var body: String
    }

    private struct State {
        var calls: [Call] = []
        var isSilent = false
        var port: Int?
    }

    private let state = Mutex(State())
    private let latency: Duration

    init(latency: Duration) {
        self.latency = latency
    }

    var calls: [Call] { state.withLock { $0.calls } }
    var boundPort: Int? { state.withLock { $0.port } }
    /// Calls from now on get no answer, or get one.
    func setSilent(_ isSilent: Bool) { state.withLock { $0.isSilent = isSilent } }

    /// Serves until cancelled.
    func run() async throws {
        let router = Router()
        router.post("/events") { request, _ in
            let id = request.headers.first { $0.name.canonicalName == "webhook-id" }?.value ?? ""
            let body = try await request.body.collect(upTo: 1 << 20)
            let isSilent = self.state.withLock { state in
                state.calls.append(Call(id: id, body: String(buffer: body)))
                return state.isSilent
            }
            try await Task.sleep(for: isSilent ? .seconds(600) : self.latency)
            return Response(status: .noContent)
        }
        try await router.serve { port in self.state.withLock { $0.port = port } }
    }
}
