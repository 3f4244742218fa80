import JSON
import Timeline

/// What a timer carries from one check to the next: the instant that the next run stands for, where `next_check_at` does
/// not say it. So it is with a call that is tried again, and with a run that makes up for a missed one.
struct TimerProgress: Hashable, Sendable {
    var instant: Timestamp?

    init(instant: Timestamp? = nil) {
        self.instant = instant
    }

    /// Anything unreadable counts as nothing.
    init(json: String?) {
        guard let json, let value = try? JSONValue(parsing: json), let text = value["instant"]?.string else { return }
        instant = Timestamp(text)
    }

    var json: String? { instant.map { "{\"instant\":\"\($0)\"}" } }
}
