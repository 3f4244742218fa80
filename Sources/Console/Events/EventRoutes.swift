import Hummingbird
import JSON
import NIOCore
import PostgresStore

/// `GET /v1/events`: the changes as they are made, as server-sent events.
public struct EventRoutes: ConsoleRoutes {
    private let feed: EventFeed
    private let watches: [String]

    /// - Parameter watches: those that may be asked for.
    public init(feed: EventFeed, watches: [String]) {
        self.feed = feed
        self.watches = watches
    }

    public func add(to router: Router<ConsoleContext>) { route.add(to: router) }

    public var operations: [APIOperation] { [route.operation] }

    private var route: APIRoute {
        APIRoute(
            operation: APIOperation(
                .get, "/v1/events", role: .viewer,
                "Follow the changes as they are made, as server-sent events; Last-Event-ID goes on where it ended.",
                query: [
                    .init("watch", "Only those of this watch.", schema: APISchema.choice(watches)),
                    .init("after", "Those after this id, as Last-Event-ID.", schema: APISchema.eventID),
                ], answers: [.init(.ok, "A stream that does not end.", type: "text/event-stream")])
        ) { request in try await events(request) }
    }

    private func events(_ request: APIRequest) async throws -> Response {
        let watch = try request.choice("watch", of: watches)
        let after = try after(of: request)
        let before = feed.place
        // It listens before it reads what was missed, so that nothing falls in between; some may come twice.
        guard let listener = feed.listen(to: watch) else {
            throw Problem(.serviceUnavailable, "there are too many listeners", headers: [.retryAfter: "10"])
        }
        guard try await feed.follows() else {
            throw Problem(
                .serviceUnavailable, "the history cannot be read at the moment", headers: [.retryAfter: "2"])
        }
        let first = if let after { try await feed.missed(after: after, watch: watch) } else { nothing }
        // A listener that was cut off before it heard anything goes on here as well.
        let place = (after ?? before ?? feed.place).map { "id: \($0)\n" } ?? ""
        var headers: HTTPFields = [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store"]
        headers[.init("X-Accel-Buffering")!] = "no"
        return Response(
            status: .ok, headers: headers,
            body: .init { [feed] writer in
                try await writer.write(ByteBuffer(string: "retry: 2000\n\(place): listening\n\n"))
                var missed = first
                while true {
                    for event in missed.events { try await writer.write(event) }
                    guard let rest = missed.rest else { break }
                    missed = try await feed.missed(after: rest, watch: watch)
                }
                // The feed ends it at a shutdown, before the server waits for its connections.
                for await event in listener.events { try await writer.write(event) }
                try await writer.finish(nil)
            })
    }

    private var nothing: (events: [ByteBuffer], rest: Int64?) { ([], nil) }

    /// Where a client that was cut off goes on: what its browser says, or what its program asks for.
    private func after(of request: APIRequest) throws(InputError) -> Int64? {
        let header = request.lastEventID.flatMap { $0.isEmpty ? nil : $0 }
        guard let text = header ?? request[parameter: "after"] else { return nil }
        guard let id = Int64(text), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw InputError(
                header == nil ? "after" : "Last-Event-ID", problem: "is no event's id",
                allowed: "the id of an event that was seen")
        }
        return id
    }
}
