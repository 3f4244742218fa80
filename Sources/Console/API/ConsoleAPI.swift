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
            + [Self.stats(SharedReading(read: stats), watches)]
    }

    public func add(to router: Router<ConsoleContext>) {
        for route in routes { route.add(to: router) }
    }

    public var operations: [APIOperation] { routes.map(\.operation) }
    public var schemas: [(name: String, schema: String)] { watches.flatMap(APISchema.schemas) }

    private static func stats(_ reading: SharedReading, _ watches: [any ConsoleWatch]) -> APIRoute {
        APIRoute(
            operation: APIOperation(
                .get, "/v1/stats", role: .viewer,
                "Tell what waits, what is late, which lane is ill and what needs a human: what `status --json` prints. "
                    + "Counts are kept for a moment; read_at says when they were read. Large tables are not counted whole: "
                    + "precision says whether a count is exact, at_least (counting ended there, at "
                    + "\(CountWords.text(Int64(DeskBounds.countedMax))) as a rule) or estimated (by the database's "
                    + "statistics; never of what is due, late or waits for a human).",
                answers: [.init(.ok, "The state of all watches.", schema: APISchema.stats(watches.map(\.name)))])
        ) { _ in
            let (json, readAt) = try await reading.value()
            return APIReply.ok("{\"read_at\":\"\(readAt.description)\",\(json.dropFirst())")
        }
    }
}
