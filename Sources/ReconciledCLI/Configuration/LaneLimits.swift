import Settings

/// What every lane may say.
struct LaneLimits: Sendable {
    /// Nil leaves it to the watch's.
    var concurrency: Int?
    /// Over all pollers; nil is unlimited.
    var rate: Rate?
    var timeout: Duration

    init(concurrency: Int?, rate: Rate?, timeout: Duration) {
        self.concurrency = concurrency
        self.rate = rate
        self.timeout = timeout
    }

    init(reading section: inout SettingsSection) throws {
        concurrency = try section.integer("concurrency", in: 1...100_000)
        rate = try section.rate("rate")
        timeout = try section.duration("timeout", in: .milliseconds(10) ... .seconds(600)) ?? .seconds(10)
    }
}

/// `lanes`: limits of lanes that are neither gateway, store nor webhook, such as the timers'.
struct NamedLaneConfiguration: Sendable {
    var name: String
    var limits: LaneLimits

    /// The lane of timers that name none; there without configuration too.
    static let timers = NamedLaneConfiguration(
        name: "timers", limits: LaneLimits(concurrency: 64, rate: nil, timeout: .seconds(10)))

    private init(name: String, limits: LaneLimits) {
        self.name = name
        self.limits = limits
    }

    init(name: String, reading section: SettingsSection) throws {
        var section = section
        self.name = name
        limits = try LaneLimits(reading: &section)
        if name == "timers", limits.concurrency == nil { limits.concurrency = 64 }
        try section.finish()
    }
}
