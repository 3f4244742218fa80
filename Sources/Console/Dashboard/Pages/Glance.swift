import PostgresStore
import Timeline

/// What the overview tells, read once.
struct Glance: Sendable {
    struct Lane: Sendable {
        var name: String
        /// Nil for a lane that only the database knows.
        var watch: (any ConsoleWatch)?
        var counts: LaneStatus?
        var registered: Registry.Lane?
        var state: LaneState
        /// Whether it can be paused and resumed: neither the configuration nor a poller named the others.
        var isKnown: Bool

        init(
            _ name: String, of watch: (any ConsoleWatch)? = nil, counts: LaneStatus? = nil,
            in registry: [Registry.Lane], isConfigured: Bool = true
        ) {
            self.name = name
            self.watch = watch
            self.counts = counts
            registered = registry.first { $0.name == name }
            state = LaneState(registered: registered, late: counts?.late, isConfigured: isConfigured)
            isKnown = isConfigured || registered != nil
        }
    }

    private(set) var lanes: [Lane] = []
    private(set) var pollers: [Registry.RegisteredPoller] = []
    private var reviews: [(watch: any ConsoleWatch, count: RowCount)] = []

    init(watches: [any ConsoleWatch], registry: Registry) async throws {
        let registered = try await registry.lanes()
        pollers = try await registry.pollers().filter { !$0.stopped }
        for watch in watches {
            reviews.append((watch, try await watch.reviewCount()))
            let unconfigured = try await watch.unconfiguredLanes()
            let names = watch.laneNames + unconfigured
            let counts = try await watch.overview().lanes(names)
            lanes += names.map { name in
                Lane(
                    name, of: watch, counts: counts.first { $0.lane == name }, in: registered,
                    isConfigured: !unconfigured.contains(name))
            }
        }
        let known = Set(lanes.map(\.name))
        // Only those that say something: a lane that was configured once is no news, for nothing waits there.
        lanes += registered.filter { $0.paused && !known.contains($0.name) }.map { Lane($0.name, in: registered) }
        lanes.sort { $0.name < $1.name }
    }

    var reviewCount: RowCount { reviews.reduce(RowCount(0)) { $0 + $1.count } }
    private var dueText: String {
        CountWords.text(lanes.reduce(RowCount(0)) { $0 + ($1.counts?.due ?? RowCount(0)) })
    }
    private var latest: Lane? {
        lanes.filter { ($0.counts?.late ?? .zero) > .zero }.max {
            ($0.counts?.late ?? .zero) < ($1.counts?.late ?? .zero)
        }
    }
    private var alive: [Registry.RegisteredPoller] { pollers.filter { $0.silentFor <= Dashboard.silentAfter } }

    // MARK: what needs attention

    /// What the alerts are about, without their numbers: it changes when there is news.
    var news: String { alerts.compactMap { $0["about"] as? String }.joined(separator: " ") }

    var alerts: [Model] {
        var alerts: [Model] = []
        if alive.isEmpty {
            alerts.append([
                "tone": "bad", "about": "pollers",
                "text": "No poller runs: nothing is checked. Start one with reconciled run.",
            ])
        }
        alerts += lanes.compactMap { lane in
            Self.alert(lane).map { $0.with("about", "\(lane.state.name):\(lane.name)") }
        }
        for (watch, rows) in reviews where rows.count > 0 {
            let verb = rows.count == 1 ? "waits" : "wait"
            alerts.append([
                "tone": "hand", "about": "review:\(watch.name)", "path": "/review",
                "text": "\(CountWords.text(rows, watch.noun)) \(verb) for a human",
            ])
        }
        if alerts.isEmpty {
            alerts.append(["tone": "good", "text": "All is well: nothing is late, nothing waits for you."])
        }
        return alerts
    }

    /// What is to be said of a lane; nil while it runs.
    private static func alert(_ lane: Lane) -> Model? {
        let late = (lane.counts?.late).flatMap { $0 > LaneState.lateAfter ? TimeWords.duration($0) : nil }
        let path = lane.watch.map { "/\($0.name)?status=due" }
        switch lane.state {
        case .runs: return nil
        case .paused:
            return ["tone": "bad", "text": "\(lane.name) is \(lane.state.text(TimeWords.duration))"]
        case .held:
            guard let late, let watch = lane.watch else { return nil }
            let wait = lane.state.text(TimeWords.duration)
            return ["tone": "bad", "text": "\(lane.name) \(wait); its oldest due \(watch.noun) waits for \(late)"]
                .with("path", path)
        case .unconfigured:
            let rows = lane.watch?.name ?? "rows"
            return [
                "tone": "bad",
                "text":
                    "\(lane.name) is not configured: \(rows) wait there, and nothing with this configuration checks them",
            ].with("path", path)
        case .late:
            guard let late, let watch = lane.watch else { return nil }
            return ["tone": "bad", "text": "\(lane.name) is late: the oldest due \(watch.noun) waits for \(late)"]
                .with("path", path)
        }
    }

    var tiles: [Model] {
        let late = latest?.counts?.late
        let isLate = (late ?? .zero) > LaneState.lateAfter
        return [
            [
                "value": dueText, "label": "due now", "tone": "plain",
                "path": latest?.watch.map { "/\($0.name)?status=due" } ?? "/orders?status=due",
            ],
            [
                "value": late.map(TimeWords.duration) ?? "0 ms",
                "label": latest.map { "the oldest waits, at \($0.name)" }
                    ?? (dueText == "0" ? "nothing waits" : "what is due is under way"),
                "tone": isLate ? "bad" : "plain", "path": latest?.watch.map { "/\($0.name)?status=due" } ?? "/",
            ],
            [
                "value": CountWords.text(reviewCount),
                "label": reviewCount.count == 1 ? "waits for a human" : "wait for a human",
                "tone": reviewCount.count > 0 ? "hand" : "plain", "path": "/review",
            ],
            [
                "value": "\(alive.count)", "label": alive.count == 1 ? "poller runs" : "pollers run",
                "tone": alive.isEmpty ? "bad" : "plain", "path": "/",
            ],
        ]
    }

    // MARK: tables

    func laneRows(mayAct: Bool) -> [Model] {
        lanes.map { lane in
            [
                "name": lane.name, "watch": lane.watch?.name ?? "",
                "due": CountWords.text(lane.counts?.due ?? RowCount(0)),
                "late": lane.counts?.late.map(TimeWords.duration) ?? "–", "state": lane.state.text(TimeWords.duration),
                "tone": lane.state.isIll ? "bad" : "plain",
                "isPaused": lane.registered?.paused ?? false, "isHeld": lane.state.isHeld,
                "mayAct": mayAct && lane.isKnown,
                "path": "/lanes/\(Dashboard.encoded(lane.name))",
            ]
        }
    }

    func pollerRows(_ times: TimeWords) -> [Model] {
        pollers.map { poller in
            let isSilent = poller.silentFor > Dashboard.silentAfter
            return [
                "id": poller.id, "watch": poller.watch, "version": poller.version,
                "state": isSilent ? "silent for \(TimeWords.duration(poller.silentFor))" : "runs",
                "tone": isSilent ? "bad" : "plain",
            ].with("started", times.model(poller.startedAt))
        }
    }
}
