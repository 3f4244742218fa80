import Hummingbird

/// A part of the HTTP interface: adds its paths.
public protocol ConsoleRoutes: Sendable {
    /// - Parameter router: authenticates; each route says by `RequireRole` who may ask.
    func add(to router: Router<ConsoleContext>)

    /// What the OpenAPI document tells of them; pages for people are not in it.
    var operations: [APIOperation] { get }
    /// JSON Schemas by name that the operations refer to.
    var schemas: [(name: String, schema: String)] { get }
}

extension ConsoleRoutes {
    public var operations: [APIOperation] { [] }
    public var schemas: [(name: String, schema: String)] { [] }
}
