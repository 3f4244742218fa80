import Foundation

/// The seed of this run's property tests: RECONCILED_TEST_SEED, or a fresh one.
public enum TestSeed {
    public static let value: UInt64 =
        ProcessInfo.processInfo.environment["RECONCILED_TEST_SEED"].flatMap { UInt64($0) } ?? .random(in: 0...(.max))
}

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
public struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    public init(seed: UInt64 = TestSeed.value) {
        state = seed
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
