import ArgumentParser

/// The watches by name. One that this program serves has a `ServedWatch`; adding one adds its file and its case here.
enum Watch: String, CaseIterable, ExpressibleByArgument, Sendable {
    case orders, uploads, timers, deliveries

    /// Nil for one that is not in this version yet.
    var served: (any ServedWatch.Type)? {
        switch self {
        case .orders: OrdersWatch.self
        case .uploads: UploadsWatch.self
        case .timers: TimersWatch.self
        case .deliveries: nil
        }
    }

    static var allServed: [any ServedWatch.Type] { allCases.compactMap(\.served) }

    static var names: String { allServed.map { $0.name }.joined(separator: ", ") }
}

struct WatchArgument: ParsableArguments {
    @Argument(help: "The watch: \(Watch.names).")
    var watch: Watch

    func validate() throws {
        guard watch.served != nil else {
            throw ValidationError("\(watch.rawValue) are not in this version yet; it works on \(Watch.names)")
        }
    }

    /// The argument as it was validated.
    var served: any ServedWatch.Type {
        guard let served = watch.served else { preconditionFailure("the argument was validated") }
        return served
    }
}
