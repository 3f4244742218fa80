/// How long to wait after something failed: doubling from `base` to `ceiling`, with full jitter above `floor`.
///
/// Full jitter (anything from nothing to the doubled value) spreads many rows that failed together better than a jitter
/// around the value does; see "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. The floor keeps an unlucky
/// draw near zero from turning into a spinning row.
package struct Backoff: Sendable {
    var base: Duration
    var ceiling: Duration
    var floor: Duration

    /// A row's failed checks: 1 s doubling to 10 min, never sooner than 250 ms.
    package static let check = Backoff(base: .seconds(1), ceiling: .seconds(600), floor: .milliseconds(250))
    /// A store that cannot be reached: 100 ms doubling to 5 s.
    static let outage = Backoff(base: .milliseconds(100), ceiling: .seconds(5), floor: .milliseconds(50))
    /// A row that the application keeps locked: 50 ms doubling to 2 s.
    static let locked = Backoff(base: .milliseconds(50), ceiling: .seconds(2), floor: .milliseconds(25))

    /// The delay after so many consecutive failures, this one included.
    func delay(failures: Int, using random: inout some RandomNumberGenerator) -> Duration {
        max(floor, limit(failures: failures) * Double.random(in: 0...1, using: &random))
    }

    /// The most that `delay` returns.
    package func limit(failures: Int) -> Duration {
        var limit = base
        var left = failures - 1
        while left > 0, limit < ceiling {
            limit *= 2
            left -= 1
        }
        return min(limit, ceiling)
    }
}
