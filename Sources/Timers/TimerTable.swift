import Postgres
import PostgresStore
import Reconciling
import Schema
import Timeline

/// Binds timers to `reconciled.timers`.
public enum TimerTable: WatchTable {
    /// A decision about a timer needs nothing besides its status.
    public struct Resolution: Hashable, Sendable {
        public init() {}
    }

    public static let watch = "timers"
    public static let claim = Statement.sql("claim_timers")
    public static let due = Statement.sql("due_timers")
    public static let settle = Statement.sql("settle_timers")
    public static let renew = Statement.sql("renew_timers")
    public static let handBack = Statement.sql("hand_back_timers")
    public static let journal = Statement.sql("journal_timers")
    public static let desk = DeskStatements(rows: "timers", row: "timer")

    public static func readClaim(
        lane: String, claimedAt: Timestamp, from row: inout PostgresRowReader
    ) throws(PostgresError) -> Claim<Timer> {
        let id = try row.read(String.self)
        var call = TimerCall(
            url: try row.read(), method: try row.read(), headers: try row.readOptional(), body: try row.readOptional())
        let every = try row.read(Duration.self)
        let anchor = try row.read(Timestamp.self)
        let catchUp = Timer.CatchUp(rawValue: try row.read(String.self)) ?? .skip
        let runCount = try row.read(Int64.self)
        let maxRuns = try row.readOptional(Int64.self)
        let endsAt = try row.readOptional(Timestamp.self)
        let status = try row.read(String.self)
        call.timeout = try row.readOptional()
        call.expectStatus = try row.readOptional()
        let timer = Timer(
            id: id, lane: lane, grid: TimerGrid(anchor: anchor, every: every), call: call, catchUp: catchUp,
            runCount: runCount, maxRuns: maxRuns, endsAt: endsAt, status: status)
        return Claim(
            row: timer, lease: Lease(token: try row.read()), dueAt: try row.readOptional(), claimedAt: claimedAt,
            cadenceAnchor: anchor, checkCount: try row.read(), failureCount: try row.read(),
            claimCount: try row.read(), progress: try row.readOptional())
    }

    public static func parameters(for changes: [TimerChange?]) -> [PostgresParameter] {
        [
            .boolArray(changes.map { $0 != nil }),
            .textArray(changes.map { $0?.status }),
            .timestamptzArray(changes.map { $0?.nextAt }),
            .int4Array(changes.map { $0.map { Int32(clamping: $0.runs) } }),
            .boolArray(changes.map { $0?.called ?? false }),
            .int4Array(changes.map { $0?.statusCode.map { Int32(clamping: $0) } }),
            .textArray(changes.map { $0?.reviewReason }),
            .jsonbArray(changes.map { $0?.reviewDetail }),
        ]
    }

    public static func parameters(for resolution: Resolution) -> [PostgresParameter] { [] }
}
