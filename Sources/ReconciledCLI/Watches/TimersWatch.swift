import Console
import JSON
import Reconciling
import Timers

/// Timers, whose lanes are those of `lanes:`.
struct TimersWatch: ServedWatch {
    typealias Table = TimerTable

    static let noun = "timer"
    static let laneNoun = "lane"
    static let waitingStatus = "active"
    static let statuses = ["active", "paused", "finished", "review"]
    static let decisions = ["active", "paused", "finished"]
    static let decisionsHelp = """
        active lets it run on its grid again, its failures and review cleared; paused and finished put it to rest.
        """

    let settings: WatchConfiguration
    let lanes: [LaneConfiguration]
    private let targets: TargetPolicy
    private let foreignLanes: ForeignLanes

    init(_ configuration: Configuration) {
        settings = configuration.watches.timers
        targets = configuration.timerTargets
        foreignLanes = ForeignLanes(configuration, besidesEach: Self.laneNoun)
        lanes = configuration.lanes.map {
            LaneConfiguration(name: $0.name, concurrency: $0.limits.concurrency, timeout: $0.limits.timeout)
        }
    }

    func reconciler(_ outside: OutsideWorld) -> TimerReconciler {
        TimerReconciler(
            caller: TimerCaller(targets: targets, http: outside.http, publicHTTP: outside.publicHTTP))
    }

    /// A check that is told that it is a dry run makes no call.
    func dryRunning() -> TimersWatch { self }

    func isDryRunning(_ lane: String) -> Bool { false }

    static let columns: [TextTable.Column] = [
        .init("ID"), .init("EVERY", .right), .init("STATUS"), .init("NEXT RUN"), .init("RUNS", .right), .init("LAST"),
        .init("CODE", .right), .init("WHY"),
    ]

    static func cells(of row: RowText) -> [String?] {
        [
            row["id"], row["every"], row["status"], row.time("next_check_at") ?? "at rest", row["run_count"],
            row["last_verdict"], row["last_status_code"], row["review_reason"] ?? row["last_error"],
        ]
    }

    static func withoutSecrets(_ row: String) throws(JSONError) -> String {
        TimerSecrets.redacted(try JSONValue(row: row)).text
    }

    static var inputSchema: String? { TimerInput.schema }

    func validate(_ json: JSONValue) throws(InputError) -> String {
        let input = try TimerInput(json: json, targets: targets)
        try foreignLanes.check(input.lane)
        return input.id
    }

    func resolution(_ decision: Decision, lane: String?) -> TimerTable.Resolution { .init() }

    /// No constraint of timers is unique but their id.
    static func conflict(with decision: Decision?) -> String { "another timer has that id" }

    static func reviewReason(after change: TimerChange) -> String? { change.reviewReason }

    static func effect(of would: JSONValue) -> String? {
        guard let method = would["method"]?.string, let url = would["url"]?.string else { return nil }
        return "call \(method) \(url)"
    }
}
