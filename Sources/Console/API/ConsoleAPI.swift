import Hummingbird
import JSON
import PostgresStore
import Timeline

/// The HTTP interface to rows, lanes and pollers: `/v1/…`.
public struct ConsoleAPI: ConsoleRoutes {
    private let routes: [APIRoute]
    private let watches: [any ConsoleWatch]

    /// - Parameter stats: the state of all that waits, as one JSON object. It is read once for all who ask at a time.
    public init(
        watches: [any ConsoleWatch], registry: Registry, stats: @escaping @Sendable () async throws -> String
    ) {
        self.watches = watches
        routes =
            watches.flatMap { RowRoutes($0).routes } + LaneRoutes(registry: registry, watches: watches).routes
            + [Self.stats(SharedReading(read: stats))]
    }

    public func add(to router: Router<ConsoleContext>) {
        for route in routes { route.add(to: router) }
    }

    public var operations: [APIOperation] { routes.map(\.operation) }
    public var schemas: [(name: String, schema: String)] { watches.flatMap(APISchema.schemas) }

    private static func stats(_ reading: SharedReading) -> APIRoute {
        APIRoute(
            operation: APIOperation(
                .get, "/v1/stats", role: .viewer,
                "Tell what waits, what is late, which lane is ill and what needs a human: what `status --json` prints. "
                    + "Counts are kept for a moment; read_at says when they were read.",
                answers: [
                    .init(
                        .ok, "The state of all watches.",
                        schema: #"{"type":"object","required":["lanes","pollers","read_at"],"properties":{"#
                            + #""lanes":{"type":"array"},"pollers":{"type":"array"},"#
                            + #""read_at":{"type":"string","format":"date-time"}}}"#)
                ])
        ) { _ in
            let (json, readAt) = try await reading.value()
            return APIReply.ok("{\"read_at\":\"\(readAt.description)\",\(json.dropFirst())")
        }
    }
}
