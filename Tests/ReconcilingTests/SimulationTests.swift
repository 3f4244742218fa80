import Glibc
import Testing

@testable import Reconciling

/// The engine under crashes, freezes, a bad network and racing applications, by seed. A seed that failed is run again
/// by `RECONCILED_SEED=…`.
@Suite struct SimulationTests {
    static let chosenSeed: UInt64? = {
        guard let text = unsafe getenv("RECONCILED_SEED") else { return nil }
        return UInt64(unsafe String(cString: text))
    }()

    static let seedGroups: [Range<UInt64>] = {
        if let chosenSeed { return [chosenSeed..<(chosenSeed + 1)] }
        return (0..<20).map { ($0 * 10 + 1)..<($0 * 10 + 11) }
    }()

    @Test(arguments: seedGroups)
    func everyRowEndsWhereItsTruthSays(seeds: Range<UInt64>) async {
        for seed in seeds {
            let violations = await SimulatedWorld(seed: seed).run()
            #expect(violations.isEmpty, "RECONCILED_SEED=\(seed): \(violations.joined(separator: "\n"))")
        }
    }

    @Test func aSeedIsRepeatable() async {
        func trace() async -> [String] {
            let world = SimulatedWorld(seed: 7)
            _ = await world.run()
            return world.database.perform { table, _ in table.log.map { "\($0)" } }
        }
        let (first, second) = (await trace(), await trace())
        #expect(first == second)
    }

    /// A checker that finds nothing proves nothing: each broken store is caught within a few seeds.
    @Test(arguments: [Flaws.noFence, .noCompare, .losesNudges, .claimsHeld, .keepsLapsed])
    func theCheckerCatches(flaw: Flaws) async {
        for seed in UInt64(1)...20 where await !SimulatedWorld(seed: seed, flaws: flaw).run().isEmpty { return }
        Issue.record("no seed of 20 shows flaw \(flaw.rawValue)")
    }
}
