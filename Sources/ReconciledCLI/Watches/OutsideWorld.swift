import Outgoing

/// What checks use to reach gateways and stores; made once for all watches of a process.
struct OutsideWorld: Sendable {
    let http: OutgoingClient
    /// Refuses hosts that are not public, by the address that it connects to.
    let publicHTTP: OutgoingClient

    /// - Parameter checksMax: as many checks as may be under way.
    init(checksMax: Int) {
        http = OutgoingClient(connectionsPerHostMax: checksMax)
        publicHTTP = OutgoingClient(connectionsPerHostMax: checksMax, peers: .publicOnly)
    }

    func shutdown() async throws {
        try await http.shutdown()
        try await publicHTTP.shutdown()
    }

    /// Runs `body` with what it shuts down afterwards.
    static func with<T: Sendable>(_ body: (OutsideWorld) async throws -> T) async throws -> T {
        let outside = OutsideWorld(checksMax: 1)
        do {
            let result = try await body(outside)
            try await outside.shutdown()
            return result
        } catch {
            try? await outside.shutdown()
            throw error
        }
    }
}
