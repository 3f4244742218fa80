import Hummingbird
import Synchronization
import Timeline

/// How many requests of which kind were answered, and in what time. Labels are bounded: a path is a route's, not a client's.
final class RequestMetrics: Sendable {
    private static let methods: Set<HTTPRequest.Method> = [.get, .head, .put, .post, .delete]

    private struct Kind: Hashable {
        var method: HTTPRequest.Method?
        var path: String
        var statusClass: Int
    }

    private struct Cells {
        var answered: CounterCell
        var seconds: HistogramCell
    }

    private let registry: MetricsRegistry
    /// The registry's cells as far as they were used: each request looks for them.
    private let cells = Mutex<[Kind: Cells]>([:])

    init(registry: MetricsRegistry) {
        self.registry = registry
    }

    /// - Parameter path: nil where no route is.
    func count(_ method: HTTPRequest.Method, path: String?, status: HTTPResponse.Status, took: Duration) {
        let kind = Kind(
            method: Self.methods.contains(method) ? method : nil, path: path ?? "none", statusClass: status.code / 100)
        let cells = cells.withLock { cells in
            if let found = cells[kind] { return found }
            let made = make(kind)
            cells[kind] = made
            return made
        }
        cells.answered.increment()
        cells.seconds.observe(took.inSeconds)
    }

    private func make(_ kind: Kind) -> Cells {
        Cells(
            answered: registry.counter(
                "reconciled_http_requests_total", help: "Requests of the HTTP interface that were answered.",
                labels: [
                    ("method", kind.method?.rawValue ?? "other"), ("path", kind.path),
                    ("status", "\(kind.statusClass)xx"),
                ]),
            seconds: registry.histogram(
                "reconciled_http_request_seconds", help: "Time until a request was answered, without sending the body.",
                bounds: EngineMetrics.secondsBounds, labels: [("path", kind.path)]))
    }
}
