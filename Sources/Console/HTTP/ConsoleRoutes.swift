import Hummingbird

/// A part of the HTTP interface: adds its paths.
public protocol ConsoleRoutes: Sendable {
    /// - Parameter router: authenticates; each route says by `RequireRole` who may ask.
    func add(to router: Router<ConsoleContext>)
}
