import Hummingbird
import ServiceLifecycle
import Synchronization

/// A gateway that knows the truth: what it answered about each order is what the order must end as.
final class TruthGateway: Sendable {
    struct Truth: Sendable {
        var status: String
        var amount: Int
        var currency = "EUR"
    }

    private let truths: Mutex<[String: Truth]> = Mutex([:])
    private let calls: Mutex<[String: Int]> = Mutex([:])
    private let latency: Mutex<Duration>
    private let port: Mutex<Int?> = Mutex(nil)

    init(latency: Duration) {
        self.latency = Mutex(latency)
    }

    func set(_ id: String, _ truth: Truth) { truths.withLock { $0[id] = truth } }
    func setLatency(_ duration: Duration) { latency.withLock { $0 = duration } }
    func callCount(_ id: String) -> Int { calls.withLock { $0[id] ?? 0 } }
    var callCountTotal: Int { calls.withLock { $0.values.reduce(0, +) } }
    var boundPort: Int? { port.withLock { $0 } }

    /// The gateway's configuration for a poller.
    func configuration(name: String, timeout: String = "1s") -> String {
        """
          \(name):
            kind: http
            url: "http://127.0.0.1:\(boundPort ?? 0)/orders/{id}"
            timeout: \(timeout)
            cadence: [200ms]
            state: "$.status"
            states: { PAID: [paid], NOT_PAID_YET: [open], CLOSED: [void] }
            amount: "$.amount"
            currency: "$.currency"
            order: "$.order"
            txn: "$.txn"
        """
    }

    /// Serves until cancelled.
    func run() async throws {
        let router = Router()
        router.get("/orders/:id") { _, context in
            let id = try context.parameters.require("id")
            self.calls.withLock { $0[id, default: 0] += 1 }
            try await Task.sleep(for: self.latency.withLock { $0 })
            guard let truth = self.truths.withLock({ $0[id] }) else { throw HTTPError(.notFound) }
            let body = """
                {"order": "\(id)", "status": "\(truth.status)", "amount": \(truth.amount), \
                "currency": "\(truth.currency)", "txn": "txn-\(id)"}
                """
            return Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: body)))
        }
        try await router.serve { port in self.port.withLock { $0 = port } }
    }
}
