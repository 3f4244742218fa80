import JSON
import PostgresStore

/// A watch's rows for the one who asks: what of them may be a secret is shown to those only who may add such rows.
struct CallerDesk: Sendable {
    private let watch: any ConsoleWatch
    private let caller: Caller
    private let desk: any RowDesk

    init(_ watch: any ConsoleWatch, _ caller: Caller) {
        self.watch = watch
        self.caller = caller
        desk = watch.desk(actor: caller.name)
    }

    func page(_ filter: RowFilter, limit: Int) async throws -> RowPage {
        var page = try await desk.page(filter, limit: limit)
        page.rows = try shown(page.rows)
        return page
    }

    func oldestDue(lanes: [String], limit: Int) async throws -> [String] {
        try shown(try await desk.oldestDue(lanes: lanes, limit: limit))
    }

    func inReview(limit: Int) async throws -> [String] { try shown(try await desk.inReview(limit: limit)) }

    func find(_ name: String, lanes: [String], limit: Int) async throws -> [String] {
        try await desk.find(name, lanes: lanes, limit: limit)
    }

    func show(_ id: String) async throws -> String? { try shown(try await desk.show(id)) }

    func history(_ id: String, limit: Int) async throws -> [String] { try await desk.history(id, limit: limit) }

    func checks(_ id: String, limit: Int) async throws -> [String] { try await desk.checks(id, limit: limit) }

    func nudge(_ ids: [String]) async throws -> [String] { try await desk.nudge(ids) }

    func resolve(_ id: String, _ decision: Decision) async throws -> String? {
        try shown(try await watch.resolve(id, decision, actor: caller.name))
    }

    func remove(_ id: String) async throws -> Bool { try await desk.remove(id) }

    private func shown(_ rows: [String]) throws -> [String] {
        guard caller.role != .admin else { return rows }
        return try rows.map { row in try watch.withoutSecrets(row) }
    }

    private func shown(_ row: String?) throws -> String? {
        guard let row else { return nil }
        return try shown([row]).first
    }
}
