import Console
import JSON
import Postgres
import PostgresStore

/// A served watch as the HTTP interface takes it.
struct ConsoleFace<Served: ServedWatch>: ConsoleWatch {
    let watch: Served
    let pool: PostgresPool

    var name: String { Served.name }
    var noun: String { Served.noun }
    var laneColumn: String { Served.laneNoun }
    var laneNames: [String] { watch.lanes.map(\.name) }
    var statuses: [String] { Served.statuses }
    var decisions: [String] { Served.decisions }
    var decisionsHelp: String { Served.decisionsHelp }
    var takesTransaction: Bool { Served.takesTransaction }
    var addConflict: String { Served.conflict(with: nil) }

    func desk(actor: String) -> any RowDesk { Served.desk(pool, actor: actor) }
    func overview() -> any RowOverview { Served.overview(pool) }

    var inputSchema: String? { Served.inputSchema }
    func validate(_ object: JSONValue) throws(InputError) -> String { try watch.validate(object) }
    func validate(_ decision: Decision) throws(InputError) { try Served.validate(decision) }
    func validate(after id: String, as field: String) throws(InputError) { try Served.validate(after: id, as: field) }

    func resolve(_ id: String, _ decision: Decision, actor: String) async throws -> String? {
        try await watch.resolve(id, decision, pool: pool, actor: actor)
    }

    func withoutSecrets(_ row: String) throws(JSONError) -> String { try Served.withoutSecrets(row) }

    func note(on column: String, of row: JSONValue) -> String? { Served.note(on: column, of: RowText(row)) }
}

extension ServedWatch {
    func face(_ pool: PostgresPool) -> any ConsoleWatch { ConsoleFace(watch: self, pool: pool) }
}
