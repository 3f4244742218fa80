import ArgumentParser

/// The watches by name; this version works on orders.
enum Watch: String, CaseIterable, ExpressibleByArgument {
    case orders, uploads, timers, deliveries

}

struct WatchArgument: ParsableArguments {
    @Argument(help: "The watch: orders (uploads, timers and deliveries follow).")
    var watch: Watch

    func validate() throws {
        guard watch == .orders else {
            throw ValidationError("\(watch.rawValue) are not in this version yet; it works on orders")
        }
    }
}
