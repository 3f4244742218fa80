import StoreConformance
import Testing

@Suite struct SimulatedStoreConformanceTests {
    @Test(arguments: StoreConformance<SimulatedHarness>.rules)
    func holds(rule: StoreConformance<SimulatedHarness>.Rule) async throws {
        try await rule.check(SimulatedHarness())
    }

    /// Each flaw breaks a rule, or the rules prove nothing.
    @Test(arguments: [Flaws.noFence, .noCompare, .losesNudges, .claimsHeld, .keepsLapsed])
    func findsEachFlaw(flaw: Flaws) async {
        var broken = 0
        for rule in StoreConformance<SimulatedHarness>.rules {
            do { try await rule.check(SimulatedHarness(flaws: flaw)) } catch { broken += 1 }
        }
        #expect(broken > 0, "no rule notices flaw \(flaw.rawValue)")
    }
}
