import Testing
import Timeline

@testable import Reconciling

@Suite struct BackoffTests {
    @Test(arguments: [(1, 1), (2, 2), (3, 4), (10, 512), (11, 600), (1_000_000, 600)])
    func theLimitDoublesToTenMinutes(failures: Int, seconds: Int) {
        #expect(Backoff.check.limit(failures: failures) == .seconds(seconds))
    }

    @Test(arguments: [UInt64(1), 2, 3])
    func jitterIsFullAboveTheFloor(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let delays = (0..<1_000).map { _ in Backoff.check.delay(failures: 5, using: &random) }
        #expect(delays.allSatisfy { $0 >= .milliseconds(250) && $0 <= .seconds(16) }, "seed \(seed)")
        #expect((delays.min() ?? .zero) < .seconds(1), "seed \(seed)")
        #expect((delays.max() ?? .zero) > .seconds(15), "seed \(seed)")
    }
}
