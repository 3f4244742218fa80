import ArgumentParser
import Payments
import PostgresStore
import Timeline

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "What is late, which lane is ill, what needs a human.")

    @OptionGroup var database: DatabaseOptions

    @Flag(help: "Look again every two seconds until interrupted.")
    var watch = false

    @Flag(help: "Print one JSON object; with --watch one a line.")
    var json = false

    func run() async throws {
        try await database.withSession { session in
            while true {
                let report = try await StatusReport(session)
                if json {
                    print(report.json)
                } else {
                    let clear = watch && StandardOutput.isTerminal ? "\u{1B}[H\u{1B}[2J" : ""
                    StandardOutput.write(clear + report.text(usesColour: StandardOutput.usesColour))
                }
                guard watch else { return }
                try await Task.sleep(for: .seconds(2))
            }
        }
    }
}

/// The state of all that waits, read once.
struct StatusReport: Sendable {
    private let lanes: [LaneStatus]
    private let states: [Registry.Lane]
    private let statuses: [StatusCount]
    private let pollers: [Registry.RegisteredPoller]
    private let configured: [String]

    init(_ session: DatabaseSession) async throws {
        let registry = Registry(pool: session.pool)
        lanes = try await session.overview.lanes()
        states = try await registry.lanes()
        statuses = try await session.overview.statuses()
        pollers = try await registry.pollers().filter { !$0.stopped }
        configured = session.orderLanes
    }

    private var laneNames: [String] { Set(lanes.map(\.lane) + states.map(\.name) + configured).sorted() }

    private func state(of lane: String) -> (text: String, isIll: Bool) {
        let state = states.first { $0.name == lane }
        if let state, state.paused {
            return ("paused by \(state.pausedBy ?? "itself"): \(state.pauseReason ?? "")", true)
        }
        if let held = state?.heldFor { return ("held for \(Self.rounded(held))", true) }
        if !configured.isEmpty, !configured.contains(lane) { return ("not configured", true) }
        return ("runs", false)
    }

    func text(usesColour: Bool) -> String {
        var lanesTable = TextTable([
            .init("LANE"), .init("WAITING", .right), .init("DUE", .right), .init("IN FLIGHT", .right),
            .init("LATE", .right), .init("STATE"),
        ])
        for name in laneNames {
            let counts = lanes.first { $0.lane == name }
            let state = state(of: name)
            let late = counts?.late.map(Self.rounded)
            lanesTable.add(
                [name, "\(counts?.waiting ?? 0)", "\(counts?.due ?? 0)", "\(counts?.inFlight ?? 0)", late, state.text],
                style: state.isIll ? .red : nil)
        }
        var statusTable = TextTable([.init("STATUS"), .init("REVIEW REASON"), .init("ORDERS", .right)])
        for entry in statuses {
            let style: Style? = entry.reviewReason == nil ? nil : .yellow
            statusTable.add([entry.status, entry.reviewReason, "\(entry.count)"], style: style)
        }
        var pollerTable = TextTable([.init("POLLER"), .init("WATCH"), .init("VERSION"), .init("SILENT", .right)])
        for poller in pollers {
            let isSilent = poller.silentFor > .seconds(60)
            pollerTable.add(
                [poller.id, poller.watch, poller.version, Self.rounded(poller.silentFor)], style: isSilent ? .red : nil)
        }
        let parts = [(lanesTable, "no lanes"), (statusTable, "no orders"), (pollerTable, "no poller runs")]
        return parts.map { table, none in table.isEmpty ? none + "\n" : table.rendered(usesColour: usesColour) }
            .joined(separator: "\n")
    }

    var json: String {
        let laneObjects = laneNames.map { name in
            let counts = lanes.first { $0.lane == name }
            let state = states.first { $0.name == name }
            return JSONText.object([
                "lane": JSONText.quoted(name), "waiting": "\(counts?.waiting ?? 0)", "due": "\(counts?.due ?? 0)",
                "in_flight": "\(counts?.inFlight ?? 0)",
                "late_seconds": counts?.late.map { "\($0.inSeconds)" } ?? "null",
                "paused": state?.paused == true ? "true" : "false", "paused_by": JSONText.quoted(state?.pausedBy),
                "pause_reason": JSONText.quoted(state?.pauseReason),
                "held_seconds": state?.heldFor.map { "\($0.inSeconds)" } ?? "null",
                "configured": configured.contains(name) ? "true" : "false",
            ])
        }
        let statusObjects = statuses.map { entry in
            JSONText.object([
                "status": JSONText.quoted(entry.status), "review_reason": JSONText.quoted(entry.reviewReason),
                "count": "\(entry.count)",
            ])
        }
        let pollerObjects = pollers.map { poller in
            JSONText.object([
                "id": JSONText.quoted(poller.id), "watch": JSONText.quoted(poller.watch),
                "version": JSONText.quoted(poller.version), "started_at": JSONText.quoted(poller.startedAt.description),
                "silent_seconds": "\(poller.silentFor.inSeconds)",
            ])
        }
        return JSONText.object([
            "lanes": JSONText.array(laneObjects), "orders": JSONText.array(statusObjects),
            "pollers": JSONText.array(pollerObjects),
        ])
    }

    /// A second is exact enough for people; below it milliseconds.
    static func rounded(_ duration: Duration) -> String {
        let unit: Int64 = duration < .seconds(1) ? 1_000 : 1_000_000
        return Duration.microseconds(duration.wholeMicroseconds / unit * unit).text
    }
}
