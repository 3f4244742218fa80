import Hummingbird
import JSON
import PostgresStore
import Timeline

/// Lanes and pollers as the database knows them, and the lanes that only the configuration knows.
struct LaneRoutes: Sendable {
    static let whyLengthMax = 1_000

    let registry: Registry
    let watches: [any ConsoleWatch]

    var routes: [APIRoute] { [list, show, history, pause, resume, pollers] }

    private static let lane = APIOperation.Parameter("lane", "The lane's name.", schema: APISchema.id)

    private var list: APIRoute {
        APIRoute(
            operation: APIOperation(
                .get, "/v1/lanes", role: .viewer,
                "List lanes by name, also those in which rows wait although no configuration names them.",
                answers: [.init(.ok, "All of them.", schema: APISchema.array("lanes", of: APISchema.lane))])
        ) { _ in
            let lanes = try await lanes().map(\.json)
            return APIReply.ok("{\"lanes\":[\(lanes.joined(separator: ","))]}")
        }
    }

    private var show: APIRoute {
        APIRoute(
            operation: APIOperation(
                .get, "/v1/lanes/{lane}", role: .viewer, "Show one lane.", pathParameters: [Self.lane],
                answers: [.init(.ok, "The lane.", schema: APISchema.lane)])
        ) { request in
            APIReply.ok(try await lane(try request.segment("lane")).json)
        }
    }

    private var history: APIRoute {
        APIRoute(
            operation: APIOperation(
                .get, "/v1/lanes/{lane}/history", role: .viewer, "List who paused and resumed a lane, oldest first.",
                pathParameters: [Self.lane],
                query: [
                    .init(
                        "limit", "The newest so many; \(RowRoutes.entriesDefault) if left out.",
                        schema: APISchema.integer(1...RowRoutes.limitMax))
                ],
                answers: [.init(.ok, "The entries.", schema: APISchema.entries("history"))])
        ) { request in
            let limit = try request.integer("limit", in: 1...RowRoutes.limitMax, default: RowRoutes.entriesDefault)
            let name = try await lane(try request.segment("lane")).name
            let entries = try await registry.history(lane: name, limit: limit)
            return APIReply.ok("{\"history\":[\(entries.joined(separator: ","))]}")
        }
    }

    private var pause: APIRoute {
        APIRoute(
            operation: APIOperation(
                .post, "/v1/lanes/{lane}/pause", role: .operator,
                "Stop checks in a lane until a person resumes it; recorded.", pathParameters: [Self.lane],
                body: .init(schema: APISchema.why(lengthMax: Self.whyLengthMax)),
                answers: [.init(.ok, "The lane as it is now.", schema: APISchema.lane)], problems: [.conflict])
        ) { request in
            let reader = try FieldReader(try await request.object(), what: "pause", fields: ["why"])
            let why = try reader.requiredString("why")
            try RowRoutes.checkReason("why", why, lengthMax: Self.whyLengthMax)
            let name = try await lane(try request.segment("lane")).checkedName()
            try await registry.pause(lane: name, by: request.actor, reason: why)
            return APIReply.ok(try await lane(name).json)
        }
    }

    private var resume: APIRoute {
        APIRoute(
            operation: APIOperation(
                .post, "/v1/lanes/{lane}/resume", role: .operator,
                "Let a lane run again that was paused by anyone, or asked to wait; recorded.",
                pathParameters: [Self.lane],
                answers: [.init(.ok, "The lane as it is now.", schema: APISchema.lane)], problems: [.conflict])
        ) { request in
            let name = try await lane(try request.segment("lane")).checkedName()
            _ = try await registry.resume(lane: name, by: request.actor)
            return APIReply.ok(try await lane(name).json)
        }
    }

    private var pollers: APIRoute {
        APIRoute(
            operation: APIOperation(
                .get, "/v1/pollers", role: .viewer, "List pollers seen within the last day.",
                answers: [.init(.ok, "All of them.", schema: APISchema.array("pollers", of: APISchema.poller))])
        ) { _ in
            let pollers = try await registry.pollers().map(Self.json)
            return APIReply.ok("{\"pollers\":[\(pollers.joined(separator: ","))]}")
        }
    }

    private static func json(_ poller: Registry.RegisteredPoller) -> String {
        var object = JSONObjectText()
        object.add("id", poller.id)
        object.add("watch", poller.watch)
        object.add("version", poller.version)
        object.add("started_at", poller.startedAt.description)
        object.add("silent_seconds", json: .number("\(poller.silentFor.inSeconds)"))
        object.add("stopped", poller.stopped)
        return object.text
    }

    // MARK: lanes

    private struct Lane {
        var name: String
        /// Whose rows it has; nil for a lane of former times.
        var watch: String?
        var isConfigured = true
        var state: Registry.Lane?

        /// The name of one that can be paused: neither the configuration nor a poller named the others.
        func checkedName() throws(ConflictError) -> String {
            guard isConfigured || state != nil else {
                throw ConflictError("rows wait in this lane, but neither the configuration nor a poller names it")
            }
            return name
        }

        var json: String {
            var object = JSONObjectText()
            object.add("lane", name)
            object.add("watch", json: watch.map { .string($0) } ?? .null)
            object.add("configured", isConfigured)
            object.add("paused", state?.paused == true)
            object.add("paused_by", json: (state?.pausedBy).map { .string($0) } ?? .null)
            object.add("pause_reason", json: (state?.pauseReason).map { .string($0) } ?? .null)
            object.add("paused_at", json: (state?.pausedAt).map { .string($0.description) } ?? .null)
            object.add("held_seconds", json: (state?.heldFor).map { .number("\($0.inSeconds)") } ?? .null)
            return object.text
        }
    }

    private func lanes() async throws -> [Lane] {
        let registered = try await registry.lanes()
        var lanes: [Lane] = []
        for watch in watches {
            let unconfigured = try await watch.unconfiguredLanes()
            lanes += (watch.laneNames + unconfigured).map { name in
                Lane(
                    name: name, watch: watch.name, isConfigured: !unconfigured.contains(name),
                    state: registered.first { $0.name == name })
            }
        }
        let known = Set(lanes.map(\.name))
        lanes += registered.filter { !known.contains($0.name) }.map {
            Lane(name: $0.name, isConfigured: false, state: $0)
        }
        // A name that is one watch's own and where another's rows wait by mistake is its own first.
        return lanes.sorted { ($0.name, $0.isConfigured ? 0 : 1) < ($1.name, $1.isConfigured ? 0 : 1) }
    }

    /// One that neither the configuration nor the database knows is not there.
    private func lane(_ name: String) async throws -> Lane {
        guard let lane = try await lanes().first(where: { $0.name == name }) else {
            throw APIRequest.noRow("lane")
        }
        return lane
    }
}
