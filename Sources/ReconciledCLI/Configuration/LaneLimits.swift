import Settings

/// What every lane may say.
struct LaneLimits: Sendable {
    /// Nil leaves it to the watch's.
    var concurrency: Int?
    /// Over all pollers; nil is unlimited.
    var rate: Rate?
    var timeout: Duration

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

    init(name: String, reading section: SettingsSection) throws {
        var section = section
        self.name = name
        limits = try LaneLimits(reading: &section)
        try section.finish()
    }
}
