import Console
import Postgres
import PostgresStore
import Timeline

/// The state of all that waits, read once.
struct StatusReport: Sendable {
    /// What of it one watch tells.
    private struct Section: Sendable {
        var watch: String
        var lanes: [LaneStatus]
        var statuses: [StatusCount]
        var digest: WatchDigest?
    }

    private struct LaneName: Hashable {
        var lane: String
        /// Nil for a lane that only the database knows.
        var watch: String?
    }

    private let sections: [Section]
    private let states: [Registry.Lane]
    private let pollers: [Registry.RegisteredPoller]
    /// The configuration's lanes, with their watches.
    private let configured: [String: String]

    init(_ session: DatabaseSession) async throws { try await self.init(session.watches, pool: session.pool) }

    init(_ watches: [any ServedWatch], pool: PostgresPool) async throws {
        let registry = Registry(pool: pool)
        var sections: [Section] = []
        var configured: [String: String] = [:]
        for watch in watches {
            let overview = type(of: watch).overview(pool)
            let lanes = watch.lanes.map(\.name)
            sections.append(
                Section(
                    watch: watch.name,
                    lanes: try await overview.lanes(lanes + overview.unconfigured(lanes: lanes)),
                    statuses: try await overview.statuses(), digest: try await watch.digest(pool)))
            for lane in watch.lanes { configured[lane.name] = watch.name }
        }
        self.sections = sections
        self.configured = configured
        states = try await registry.lanes()
        pollers = try await registry.pollers().filter { !$0.stopped }
    }

    private var laneNames: [LaneName] {
        var names = Set(configured.map { LaneName(lane: $0.key, watch: $0.value) })
        for section in sections {
            for lane in section.lanes { names.insert(LaneName(lane: lane.lane, watch: section.watch)) }
        }
        let known = Set(names.map(\.lane))
        // Only those that say something: a lane that was configured once is no news.
        for state in states where state.paused && !known.contains(state.name) {
            names.insert(LaneName(lane: state.name, watch: nil))
        }
        return names.sorted { ($0.lane, $0.watch ?? "") < ($1.lane, $1.watch ?? "") }
    }

    private func counts(_ name: LaneName) -> LaneStatus? {
        sections.first { $0.watch == name.watch }?.lanes.first { $0.lane == name.lane }
    }

    private func state(of name: LaneName) -> LaneState {
        LaneState(
            registered: states.first { $0.name == name.lane }, late: counts(name)?.late,
            isConfigured: configured[name.lane] == name.watch)
    }

    func text(usesColour: Bool) -> String {
        blocks().map { $0.rendered(usesColour: usesColour) }.joined(separator: "\n")
    }

    /// What it says to people, a table at a time.
    ///
    /// - Parameter room: cells of a line that are seen.
    func blocks(fitting room: Int = .max) -> [TextBlock] {
        // Which lane is ill is what one looks for.
        var lanesTable = TextTable([
            .init("LANE"), .init("WATCH", leavesAt: 3), .init("WAITING", .right, leavesAt: 2),
            .init("DUE", .right, leavesAt: 4), .init("IN FLIGHT", .right, leavesAt: 1), .init("LATE", .right),
            .init("STATE"),
        ])
        for name in laneNames {
            let counts = counts(name)
            let state = state(of: name)
            lanesTable.add(
                [
                    name.lane, name.watch, Self.text(counts?.waiting), Self.text(counts?.due),
                    Self.text(counts?.inFlight), counts?.late.map(Self.rounded), state.text(Self.rounded),
                ], style: state.isIll ? .red : nil)
        }
        var statusTable = TextTable([
            .init("WATCH", leavesAt: 2), .init("STATUS"), .init("REVIEW REASON", leavesAt: 1), .init("ROWS", .right),
        ])
        for section in sections {
            for entry in section.statuses {
                let style: Style? = entry.reviewReason == nil ? nil : .yellow
                statusTable.add(
                    [section.watch, entry.status, entry.reviewReason, CountWords.text(entry.rows)], style: style)
            }
        }
        var pollerTable = TextTable([
            .init("POLLER"), .init("WATCH", leavesAt: 2), .init("VERSION", leavesAt: 1), .init("SILENT", .right),
        ])
        for poller in pollers {
            let isSilent = poller.silentFor > .seconds(60)
            pollerTable.add(
                [poller.id, poller.watch, poller.version, Self.rounded(poller.silentFor)], style: isSilent ? .red : nil)
        }
        let tables = [(lanesTable, "no lanes"), (statusTable, "no rows"), (pollerTable, "no poller runs")]
        var blocks = tables.map { table, none in
            table.isEmpty ? TextBlock(rows: [TextLine(none)]) : table.block(fitting: room)
        }
        let digests = sections.compactMap { $0.digest?.text }.filter { !$0.isEmpty }
        blocks.insert(
            contentsOf: digests.map { text in
                TextBlock(rows: text.split(separator: "\n").map { TextLine(String($0)) })
            }, at: 2)
        return blocks
    }

    var json: String {
        let laneObjects = laneNames.map { name in
            let counts = counts(name)
            let state = states.first { $0.name == name.lane }
            return JSONText.object([
                "lane": JSONText.quoted(name.lane), "watch": JSONText.quoted(name.watch),
                "waiting": "\(counts?.waiting.count ?? 0)", "due": "\(counts?.due.count ?? 0)",
                "in_flight": "\(counts?.inFlight.count ?? 0)",
                "precision": JSONText.object([
                    "waiting": Self.precision(counts?.waiting), "due": Self.precision(counts?.due),
                    "in_flight": Self.precision(counts?.inFlight),
                ]),
                "late_seconds": counts?.late.map { "\($0.inSeconds)" } ?? "null",
                "paused": state?.paused == true ? "true" : "false", "paused_by": JSONText.quoted(state?.pausedBy),
                "pause_reason": JSONText.quoted(state?.pauseReason),
                "held_seconds": state?.heldFor.map { "\($0.inSeconds)" } ?? "null",
                "configured": configured[name.lane] == nil ? "false" : "true",
            ])
        }
        var members = [("lanes", JSONText.array(laneObjects))]
        for section in sections {
            members.append((section.watch, JSONText.array(section.statuses.map(Self.json))))
            members += section.digest?.members.map { ($0.name, $0.json) } ?? []
        }
        let pollerObjects = pollers.map { poller in
            JSONText.object([
                "id": JSONText.quoted(poller.id), "watch": JSONText.quoted(poller.watch),
                "version": JSONText.quoted(poller.version), "started_at": JSONText.quoted(poller.startedAt.description),
                "silent_seconds": "\(poller.silentFor.inSeconds)",
            ])
        }
        members.append(("pollers", JSONText.array(pollerObjects)))
        return "{" + members.map { "\(JSONText.quoted($0.0)):\($0.1)" }.joined(separator: ",") + "}"
    }

    private static func json(_ entry: StatusCount) -> String {
        JSONText.object([
            "status": JSONText.quoted(entry.status), "review_reason": JSONText.quoted(entry.reviewReason),
            "count": "\(entry.rows.count)", "precision": precision(entry.rows),
        ])
    }

    private static func precision(_ rows: RowCount?) -> String {
        JSONText.quoted((rows?.precision ?? .exact).rawValue)
    }

    private static func text(_ rows: RowCount?) -> String { CountWords.text(rows ?? RowCount(0)) }

    /// A second is exact enough for people; below it milliseconds.
    static func rounded(_ duration: Duration) -> String {
        let unit: Int64 = duration < .seconds(1) ? 1_000 : 1_000_000
        return Duration.microseconds(duration.wholeMicroseconds / unit * unit).text
    }
}
