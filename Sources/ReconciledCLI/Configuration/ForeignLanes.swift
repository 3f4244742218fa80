import JSON

/// The lanes that a configuration gives to other watches: a lane's name tells them all apart, so that no row of this watch is
/// ever taken there. One that the configuration does not name may be another process's.
struct ForeignLanes: Sendable {
    /// Lanes that a refusal names at most.
    private static let namedMax = 20

    private let noun: String
    private let own: [String]
    /// What a lane of another watch is: `a store`.
    private let others: [String: String]

    /// - Parameter noun: what a lane is to the watch: `gateway`; also its column.
    init(_ configuration: Configuration, besidesEach noun: String) {
        let lanes = [
            (noun: "gateway", text: "a gateway", names: configuration.gateways.map(\.name)),
            (noun: "store", text: "a store", names: configuration.stores.map(\.name)),
            (noun: "lane", text: "a lane of timers", names: configuration.lanes.map(\.name)),
            (noun: "endpoint", text: "a webhook", names: configuration.webhooks.map(\.endpoint.name)),
        ]
        self.noun = noun
        own = lanes.first { $0.noun == noun }?.names ?? []
        others = lanes.filter { $0.noun != noun }.reduce(into: [:]) { others, lane in
            for name in lane.names { others[name] = lane.text }
        }
    }

    /// Throws where a row in this lane would wait for ever.
    func check(_ lane: String) throws(InputError) {
        guard let other = others[lane] else { return }
        let known = own.isEmpty ? "" : own.prefix(Self.namedMax).joined(separator: ", ") + ", or "
        throw InputError(
            noun, problem: "names \(other), where this would wait for ever",
            allowed: "\(known)a \(noun) that another process has")
    }
}
