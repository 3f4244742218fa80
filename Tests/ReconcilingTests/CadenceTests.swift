import Testing
import Timeline

@testable import Reconciling

@Suite struct CadenceTests {
    let cadence = Cadence([.seconds(5), .seconds(30), .seconds(60)])

    @Test(arguments: [
        (-100, 5), (0, 5), (4, 5), (5, 30), (34, 30), (35, 60), (94, 60), (95, 60), (1_000_000, 60),
    ])
    func theStepIsTheOneThatTheAgeFallsIn(age: Int, step: Int) {
        #expect(cadence.step(age: .seconds(age)) == .seconds(step))
    }

    @Test(arguments: [UInt64(1), 2, 3])
    func jitterIsTenPercentEitherWay(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let delays = (0..<1_000).map { _ in cadence.delay(age: .zero, using: &random) }
        #expect(delays.allSatisfy { $0 >= .milliseconds(4_500) && $0 <= .milliseconds(5_500) }, "seed \(seed)")
        #expect((delays.min() ?? .zero) < .milliseconds(4_550), "seed \(seed)")
        #expect((delays.max() ?? .zero) > .milliseconds(5_450), "seed \(seed)")
    }
}
