import Timeline

/// A kind whose configuration is understood, but which this version cannot ask: its rows stay untouched, and its lane says
/// why.
struct UnsupportedGateway: Gateway {
    var kind: String

    func ask(_ order: Order, deadline: Moment) async -> Answer {
        .configError("kind \(kind) is not supported by this version yet")
    }
}
