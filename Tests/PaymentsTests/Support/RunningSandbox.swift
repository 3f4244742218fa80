import Logging
import Outgoing
import Payments
import Sandbox
import Timeline

/// A sandbox and the gateways' client for the time of `body`.
func withSandbox<Result: Sendable>(
    _ body: @Sendable (_ baseURL: String, _ http: OutgoingClient) async throws -> Result
) async throws -> Result {
    let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
    var logger = Logger(label: "sandbox")
    logger.logLevel = .critical  // the client leaves while the server ends
    let server = SandboxServer(logger: logger) { continuation.yield($0) }
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run() }
        var port: Int?
        for await reported in ports {
            port = reported
            break
        }
        let http = OutgoingClient()
        do {
            let result = try await body("http://127.0.0.1:\(port ?? 0)", http)
            try await http.shutdown()
            group.cancelAll()
            return result
        } catch {
            try await http.shutdown()
            group.cancelAll()
            throw error
        }
    }
}

extension Moment {
    static func `in`(_ duration: Duration) -> Moment { .now + duration }
}
