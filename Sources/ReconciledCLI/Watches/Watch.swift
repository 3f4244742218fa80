import ArgumentParser

/// The watches by name; adding one adds its file and its case here.
enum Watch: String, CaseIterable, ExpressibleByArgument, Sendable {
    case orders, uploads, timers, deliveries

    var served: any ServedWatch.Type {
        switch self {
        case .orders: OrdersWatch.self
        case .uploads: UploadsWatch.self
        case .timers: TimersWatch.self
        case .deliveries: DeliveriesWatch.self
        }
    }

    static var allServed: [any ServedWatch.Type] { allCases.map(\.served) }

    static var names: String { allServed.map { $0.name }.joined(separator: ", ") }
}

struct WatchArgument: ParsableArguments {
    @Argument(help: "The watch: \(Watch.names).")
    var watch: Watch

    var served: any ServedWatch.Type { watch.served }
}
