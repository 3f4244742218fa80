import Postgres
import PostgresStore
import Timeline

/// What `doctor` looks at.
struct Diagnosis {
    static let clockSkewMax = Duration.seconds(2)
    static let xminAgeMax = Duration.seconds(3_600)
    static let silenceMax = Duration.seconds(60)

    private let session: DatabaseSession
    private let outside: OutsideWorld

    init(_ session: DatabaseSession, _ outside: OutsideWorld) {
        self.session = session
        self.outside = outside
    }

    func findings() async throws -> [DoctorFinding] {
        // On another schema every further question may fail; what to do about it comes first.
        if let problem = try await session.migrator.state().problem {
            return [DoctorFinding(kind: "schema", detail: problem)]
        }
        var findings: [DoctorFinding] = []
        for watch in session.watches {
            findings += try await Self.audit(watch, pool: session.pool)
            findings += await watch.examineLanes(outside)
        }
        return try await findings + lanes() + pollers() + server()
    }

    /// Rows that cannot make progress, in words.
    static func audit(_ watch: any ServedWatch, pool: PostgresPool) async throws -> [DoctorFinding] {
        let kind = type(of: watch)
        return try await kind.overview(pool).audit(lanes: watch.lanes.map(\.name)).map { finding in
            let count = finding.count.map { "\($0) " } ?? ""
            let detail =
                switch finding.kind {
                case "adrift":
                    "\(count)\(kind.waitingStatus) with a NULL next_check_at: nobody will ever ask about them; nudge them"
                case "unreclaimed":
                    "\(count)complete or expired with a NULL next_check_at: their chunks stay and their names are taken; "
                        + "nudge them"
                case "unclaimed":
                    "due for over a minute in a lane that may run, and nobody takes it; does a poller run?"
                case "unconfigured":
                    "rows wait in a lane that no configuration names; configure the \(kind.laneNoun)"
                default: "\(count)cannot make progress"
                }
            return DoctorFinding(
                kind: finding.kind, watch: watch.name, lane: finding.lane, rowID: finding.rowID, detail: detail)
        }
    }

    private func lanes() async throws -> [DoctorFinding] {
        try await Registry(pool: session.pool).lanes().filter(\.paused).map { lane in
            let who = lane.pausedBy ?? "itself"
            let since = lane.pausedAt.map { " since \($0)" } ?? ""
            return DoctorFinding(
                kind: "paused", lane: lane.name,
                detail: "paused by \(who)\(since): \(lane.pauseReason ?? "no reason given")")
        }
    }

    private func pollers() async throws -> [DoctorFinding] {
        let running = try await Registry(pool: session.pool).pollers().filter { !$0.stopped }
        guard running.contains(where: { $0.silentFor <= Self.silenceMax }) else {
            return [DoctorFinding(kind: "no_poller", detail: "no poller gave a sign of life in the last minute")]
        }
        return running.filter { $0.silentFor > Self.silenceMax }.map { poller in
            DoctorFinding(
                kind: "silent_poller",
                detail:
                    "\(poller.id) has been silent for \(StatusReport.rounded(poller.silentFor)); it hung or was killed")
        }
    }

    private func server() async throws -> [DoctorFinding] {
        guard let server = try await Registry(pool: session.pool).server() else { return [] }
        var findings: [DoctorFinding] = []
        let skew = server.skew
        if max(skew, .zero - skew) > Self.clockSkewMax {
            findings.append(
                DoctorFinding(
                    kind: "clock_skew",
                    detail:
                        "this machine's clock and the database's are \(StatusReport.rounded(max(skew, .zero - skew))) apart"
                ))
        }
        if let age = server.xminAge, age > Self.xminAgeMax {
            findings.append(
                DoctorFinding(
                    kind: "old_snapshot",
                    detail: "a transaction has been open for \(StatusReport.rounded(age)): dead rows cannot be vacuumed"
                ))
        }
        if server.deadRows > 100_000, server.deadRows > server.liveRows * 2 {
            findings.append(
                DoctorFinding(kind: "bloat", detail: "\(server.deadRows) dead rows beside \(server.liveRows) live ones")
            )
        }
        return findings
    }
}
