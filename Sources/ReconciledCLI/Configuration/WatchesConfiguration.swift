import Settings
import Timers

/// `watches`: how this process works on each of them.
struct WatchesConfiguration: Sendable {
    var orders: WatchConfiguration
    var uploads: WatchConfiguration
    var timers: WatchConfiguration
    var deliveries: WatchConfiguration
    /// `timers.allowedHosts`; nil leaves it to where `http` listens.
    var timerTargets: TargetPolicy?

    init(reading section: SettingsSection?) throws {
        var section = section
        orders = try WatchConfiguration(reading: try section?.section("orders"), records: .all)
        uploads = try WatchConfiguration(reading: try section?.section("uploads"), records: .all)
        var timersSection = try section?.section("timers")
        if let hosts = try timersSection?.strings("allowedHosts") {
            timerTargets = TargetPolicy(allowedHosts: hosts)
            if timerTargets == nil, let section = timersSection {
                throw section.error(
                    "allowedHosts", problem: "an entry is no host", allowed: TargetPolicy.patternAllowed)
            }
        }
        timers = try WatchConfiguration(reading: timersSection, records: .none)
        deliveries = try WatchConfiguration(reading: try section?.section("deliveries"), records: .none)
        try section?.finish()
    }
}

struct WatchConfiguration: Sendable {
    enum Record: String, CaseIterable, Sendable {
        case all, none
    }

    /// Checks in flight at most.
    var concurrency = 256
    /// Rows a claim or a settle at most.
    var batch = 200
    var lease = Duration.seconds(60)
    /// A claim at least this often.
    var poll = Duration.seconds(1)
    /// Everything due is looked at this often.
    var sweep = Duration.seconds(5)
    /// Whether each check's answer is kept.
    var record: Record
    /// Whether making a row due sooner notifies the pollers.
    var notify = true

    init(reading section: SettingsSection?, records record: Record) throws {
        self.record = record
        guard var section else { return }
        concurrency = try section.integer("concurrency", in: 1...10_000) ?? concurrency
        batch = try section.integer("batch", in: 1...10_000) ?? batch
        lease = try section.duration("lease", in: .seconds(1) ... .seconds(3_600)) ?? lease
        poll = try section.duration("poll", in: .milliseconds(10) ... .seconds(60)) ?? poll
        sweep = try section.duration("sweep", in: .milliseconds(100) ... .seconds(600)) ?? sweep
        self.record = try section.choice("record", Record.self) ?? record
        notify = try section.boolean("notify") ?? notify
        try section.finish()
    }
}
