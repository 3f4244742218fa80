import Hummingbird
import NIOCore
import PostgresStore
import ServiceLifecycle

/// `GET /v1/events`: the changes as they are made, as server-sent events.
public struct EventRoutes: ConsoleRoutes {
    private let feed: EventFeed
    private let watches: [String]

    /// - Parameter watches: those that may be asked for.
    public init(feed: EventFeed, watches: [String]) {
        self.feed = feed
        self.watches = watches
    }

    public func add(to router: Router<ConsoleContext>) {
        router.group().add(middleware: RequireRole(.viewer)).get("/v1/events") { request, _ in try await events(request)
        }
    }

    public var operations: [APIOperation] {
        [
            APIOperation(
                .get, "/v1/events", role: .viewer,
                "Follow the changes as they are made, as server-sent events; Last-Event-ID goes on where it ended.",
                query: [
                    .init("watch", "Only those of this watch.", schema: APISchema.choice(watches)),
                    .init("after", "Those after this id, as Last-Event-ID.", schema: APISchema.cursor),
                ], answers: [.init(.ok, "A stream that does not end.", type: "text/event-stream")])
        ]
    }

    private func events(_ request: Request) async throws -> Response {
        let watch = try watch(of: request)
        let after = try after(of: request)
        // It listens before it reads what was missed, so that nothing falls in between; some may come twice.
        guard let listener = feed.listen(to: watch) else {
            throw Problem(.serviceUnavailable, "there are too many listeners", headers: [.retryAfter: "10"])
        }
        guard try await feed.follows() else {
            throw Problem(
                .serviceUnavailable, "the history cannot be read at the moment", headers: [.retryAfter: "2"])
        }
        let first = if let after { try await feed.missed(after: after, watch: watch) } else { nothing }
        var headers: HTTPFields = [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store"]
        headers[.init("X-Accel-Buffering")!] = "no"
        return Response(
            status: .ok, headers: headers,
            body: .init { [feed] writer in
                try await writer.write(ByteBuffer(string: "retry: 2000\n: listening\n\n"))
                var missed = first
                while true {
                    for event in missed.events { try await writer.write(event) }
                    guard let rest = missed.rest else { break }
                    missed = try await feed.missed(after: rest, watch: watch)
                }
                for await event in listener.events.cancelOnGracefulShutdown() { try await writer.write(event) }
                try await writer.finish(nil)
            })
    }

    private var nothing: (events: [ByteBuffer], rest: Int64?) { ([], nil) }

    private func watch(of request: Request) throws -> String? {
        for (name, _) in request.uri.queryParameters where name != "watch" && name != "after" {
            throw Problem(
                .badRequest, "there is no such parameter", field: String(name.prefix(64)), allowed: "watch, after")
        }
        guard let watch = request.uri.queryParameters.get("watch") else { return nil }
        guard watches.contains(watch) else {
            throw Problem(
                .badRequest, "there is no such watch", field: "watch", allowed: watches.joined(separator: ", "))
        }
        return watch
    }

    private func after(of request: Request) throws -> Int64? {
        let header = request.headers[.init("Last-Event-ID")!].flatMap { $0.isEmpty ? nil : $0 }
        guard let text = header ?? request.uri.queryParameters.get("after") else { return nil }
        guard let id = Int64(text), id >= 0 else {
            throw Problem(
                .badRequest, "this is no event's id", field: header == nil ? "after" : "Last-Event-ID",
                allowed: "the id of an event that was seen")
        }
        return id
    }
}
