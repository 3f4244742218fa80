import PostgresStore
import Timeline

/// What the overview tells, read once.
struct Glance: Sendable {
    struct Lane: Sendable {
        var name: String
        /// Nil for a lane that only the database knows.
        var watch: (any ConsoleWatch)?
        var due: LaneDue?
        var state: Registry.Lane?
    }

    private(set) var lanes: [Lane] = []
    private(set) var pollers: [Registry.RegisteredPoller] = []
    private var reviews: [(watch: any ConsoleWatch, count: Int64)] = []

    init(watches: [any ConsoleWatch], registry: Registry) async throws {
        let states = try await registry.lanes()
        pollers = try await registry.pollers().filter { !$0.stopped }
        for watch in watches {
            reviews.append((watch, try await watch.overview().reviews().reduce(0) { $0 + $1.count }))
            let due = try await watch.overview().due(lanes: watch.laneNames, bound: Dashboard.countMax)
            lanes += watch.laneNames.map { name in
                Lane(
                    name: name, watch: watch, due: due.first { $0.lane == name },
                    state: states.first { $0.name == name })
            }
        }
        let configured = Set(lanes.map(\.name))
        // Only those that say something: a lane that was configured once is no news.
        lanes += states.filter { $0.paused && !configured.contains($0.name) }.map { Lane(name: $0.name, state: $0) }
        lanes.sort { $0.name < $1.name }
    }

    var reviewCount: Int64 { reviews.reduce(0) { $0 + $1.count } }
    private var dueCount: Int64 { lanes.reduce(0) { $0 + ($1.due?.count ?? 0) } }
    private var latest: Lane? {
        lanes.filter { ($0.due?.late ?? .zero) > .zero }.max { ($0.due?.late ?? .zero) < ($1.due?.late ?? .zero) }
    }
    private var alive: [Registry.RegisteredPoller] { pollers.filter { $0.silentFor <= Dashboard.silentAfter } }

    // MARK: what needs attention

    var alerts: [Model] {
        var alerts: [Model] = []
        if alive.isEmpty {
            alerts.append(["tone": "bad", "text": "No poller runs: nothing is checked. Start one with reconciled run."])
        }
        for lane in lanes {
            guard let state = lane.state, state.paused else { continue }
            let who = state.pausedBy.map { "by \($0)" } ?? "itself"
            alerts.append([
                "tone": "bad", "text": "\(lane.name) is paused \(who): \(state.pauseReason ?? "no reason given")",
            ])
        }
        for lane in lanes where lane.state?.paused != true {
            guard let late = lane.due?.late, late > Dashboard.lateAfter, let watch = lane.watch else { continue }
            alerts.append([
                "tone": "bad",
                "text": "\(lane.name) is late: the oldest due \(watch.noun) waits for \(TimeWords.duration(late))",
                "path": "/\(watch.name)?status=due",
            ])
        }
        for (watch, count) in reviews where count > 0 {
            let verb = count == 1 ? "waits" : "wait"
            alerts.append([
                "tone": "hand", "text": "\(CountWords.text(count, watch.noun)) \(verb) for a human", "path": "/review",
            ])
        }
        if alerts.isEmpty {
            alerts.append(["tone": "good", "text": "All is well: nothing is late, nothing waits for you."])
        }
        return alerts
    }

    var tiles: [Model] {
        let late = latest?.due?.late
        let isLate = (late ?? .zero) > Dashboard.lateAfter
        return [
            [
                "value": CountWords.text(dueCount, bound: Int64(Dashboard.countMax)), "label": "due now",
                "tone": "plain",
                "path": latest?.watch.map { "/\($0.name)?status=due" } ?? "/orders?status=due",
            ],
            [
                "value": late.map(TimeWords.duration) ?? "0 ms",
                "label": latest.map { "the oldest waits, at \($0.name)" } ?? "nothing waits",
                "tone": isLate ? "bad" : "plain", "path": latest?.watch.map { "/\($0.name)?status=due" } ?? "/",
            ],
            [
                "value": CountWords.text(reviewCount),
                "label": reviewCount == 1 ? "waits for a human" : "wait for a human",
                "tone": reviewCount > 0 ? "hand" : "plain", "path": "/review",
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
            let state = state(of: lane)
            return [
                "name": lane.name, "watch": lane.watch?.name ?? "",
                "due": CountWords.text(lane.due?.count ?? 0, bound: Int64(Dashboard.countMax)),
                "late": lane.due?.late.map(TimeWords.duration) ?? "–", "state": state.text, "tone": state.tone,
                "isPaused": lane.state?.paused ?? false, "mayAct": mayAct,
                "path": "/lanes/\(Dashboard.encoded(lane.name))",
            ]
        }
    }

    private func state(of lane: Lane) -> (text: String, tone: String) {
        if let state = lane.state, state.paused {
            return ("paused \(state.pausedBy.map { "by \($0)" } ?? "itself"): \(state.pauseReason ?? "")", "bad")
        }
        if let held = lane.state?.heldFor { return ("asked to wait for \(TimeWords.duration(held))", "hand") }
        if let late = lane.due?.late, late > Dashboard.lateAfter { return ("late", "bad") }
        return ("runs", "plain")
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
