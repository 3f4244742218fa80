import Synchronization
import Timeline

/// How often each of many may do something: a token bucket each, as the instant at which it is full again (GCRA, ITU-T
/// I.371).
///
/// At most `keysMax` are kept apart; those beyond share one bucket, so that many make-believe ones take nobody's memory.
final class RequestBudget: Sendable {
    private let interval: Duration
    private let tolerance: Duration
    private let keysMax: Int
    private let fullAt = Mutex<[String: Moment]>([:])

    /// - Parameters:
    ///   - rate: how many a second in the long run.
    ///   - burst: how many at once.
    init(rate: Int, burst: Int, keysMax: Int = 10_000) {
        interval = .seconds(1) / rate
        tolerance = .seconds(1) / rate * (burst - 1)
        self.keysMax = keysMax
    }

    /// Takes one; or says how long to wait for the next, and takes none.
    func take(_ key: String, at now: Moment = .now) -> Duration? {
        fullAt.withLock { fullAt in
            var key = key
            if fullAt[key] == nil, fullAt.count >= keysMax {
                // A full bucket is as good as none.
                fullAt = fullAt.filter { $0.value > now }
                if fullAt.count >= keysMax { key = "" }
            }
            let full = max(fullAt[key] ?? now, now)
            guard full - now <= tolerance else { return full - now - tolerance }
            fullAt[key] = full + interval
            return nil
        }
    }
}
