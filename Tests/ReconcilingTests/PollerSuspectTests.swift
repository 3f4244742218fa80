import Synchronization
import Testing
import Timeline

@testable import Reconciling

/// What a poller does with rows whose checks may be what kills pollers.
@Suite struct PollerSuspectTests {
    @Test func aPoisonedRowIsNotAskedAbout() async throws {
        let asked = Mutex(0)
        let scenario = Scenario(Scenario.watch()) { _, _, _ in
            asked.withLock { $0 += 1 }
            return Scenario.paid
        }
        scenario.insert("r1", claimCount: 5)
        try await scenario.run { scenario in
            #expect(scenario.advance(atMost: .seconds(1)) { scenario.row("r1").status == "review" })
        }.get()
        #expect(asked.withLock { $0 } == 0)
    }

    @Test func suspectsAreCheckedOneAtATime() async throws {
        let running = Mutex((now: 0, most: 0))
        let scenario = Scenario(Scenario.watch()) { claim, _, simulation in
            if claim.claimCount > 3 {
                running.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
            }
            await simulation.sleepThrough(.milliseconds(300))
            if claim.claimCount > 3 { running.withLock { $0.now -= 1 } }
            return Scenario.paid
        }
        for number in 0..<8 { scenario.insert("r\(number)", claimCount: number < 4 ? 3 : 0) }
        try await scenario.run { scenario in
            #expect(
                scenario.advance(atMost: .seconds(4)) {
                    (0..<8).allSatisfy { scenario.row("r\($0)").status == "paid" }
                })
        }.get()
        #expect(running.withLock { $0.most } == 1)
    }

    @Test func aSuspectKeepsNoOtherLaneWaiting() async throws {
        let lanes = [LaneConfiguration(name: "a"), LaneConfiguration(name: "b")]
        let scenario = Scenario(Scenario.watch(lanes: lanes)) { claim, _, simulation in
            if claim.row.lane == "a" { await simulation.sleepThrough(.seconds(9)) }
            return Scenario.paid
        }
        scenario.insert("a1", claimCount: 3)
        scenario.insert("a2", claimCount: 3)
        for number in 0..<4 { scenario.insert("b\(number)", lane: "b", claimCount: number < 2 ? 3 : 0) }
        try await scenario.run { scenario in
            #expect(
                scenario.advance(atMost: .seconds(1)) { (0..<4).allSatisfy { scenario.row("b\($0)").status == "paid" } }
            )
            #expect(scenario.row("a1").leaseToken != nil)
            #expect(scenario.row("a2").leaseToken == nil)
        }.get()
    }

    @Test func aRowIsASuspectFromItsFourthClaimOn() async throws {
        let scenario = Scenario(Scenario.watch()) { claim, _, simulation in
            if claim.row.id == "third" { await simulation.sleepThrough(.seconds(4)) }
            return Scenario.paid
        }
        scenario.insert("third", claimCount: 2)
        try await scenario.run { scenario in
            #expect(scenario.advance(atMost: .seconds(1)) { scenario.row("third").leaseToken != nil })
            scenario.insert("fourth", claimCount: 3)
            // The third claim of a row stands in no other's way.
            #expect(scenario.advance(atMost: .seconds(2)) { scenario.row("fourth").status == "paid" })
            #expect(scenario.row("third").status == "pending")
        }.get()
    }
}
