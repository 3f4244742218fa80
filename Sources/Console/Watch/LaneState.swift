import PostgresStore
import Timeline

/// How a lane fares, as `status` and the dashboard tell it alike.
public enum LaneState: Hashable, Sendable {
    /// - Parameter by: nil for a lane that paused itself for its configuration.
    case paused(by: String?, reason: String?)
    /// The gateway asked us to wait.
    case held(Duration)
    /// Rows wait in it, and nobody will ever take them; a person may have paused it besides.
    case unconfigured(pausedBy: String?, reason: String?)
    /// The oldest due row that nobody holds waits for so long.
    case late(Duration)
    case runs

    /// A poller claims what is due within its sweep (5 s); later than twice that is late.
    public static let lateAfter = Duration.seconds(10)

    /// What a person must know first.
    ///
    /// - Parameters:
    ///   - registered: what all pollers agree on about it; nil for a lane that none has registered.
    ///   - late: by how much its oldest due row that nobody holds is late.
    ///   - isConfigured: false where rows wait although no configuration names it. Neither the end of a hold nor a resume
    ///     helps those.
    public init(registered: Registry.Lane?, late: Duration?, isConfigured: Bool) {
        if !isConfigured {
            self = .unconfigured(pausedBy: registered?.pausedBy, reason: registered?.pauseReason)
        } else if let registered, registered.paused {
            self = .paused(by: registered.pausedBy, reason: registered.pauseReason)
        } else if let held = registered?.heldFor {
            self = .held(held)
        } else if let late, late > Self.lateAfter {
            self = .late(late)
        } else {
            self = .runs
        }
    }

    /// In a word.
    var name: String {
        switch self {
        case .paused: "paused"
        case .held: "held"
        case .unconfigured: "unconfigured"
        case .late: "late"
        case .runs: "runs"
        }
    }

    public var isIll: Bool { self != .runs }

    var isHeld: Bool { if case .held = self { true } else { false } }

    /// - Parameter duration: how durations are written there.
    public func text(_ duration: (Duration) -> String) -> String {
        switch self {
        case .paused(let person, let reason): Self.paused(by: person ?? "itself", reason)
        case .held(let time): "asked to wait for \(duration(time))"
        case .unconfigured(let person, let reason):
            "not configured" + (person.map { "; " + Self.paused(by: $0, reason) } ?? "")
        case .late(let time): "late by \(duration(time))"
        case .runs: "runs"
        }
    }

    private static func paused(by who: String, _ reason: String?) -> String {
        "paused by \(who): \(reason ?? "no reason given")"
    }
}
