import Testing

@testable import Reconciling

@Suite struct ClaimPlanTests {
    typealias Demand = ClaimPlan.Demand

    @Test func aBusyLaneGetsWhatIdleOnesLeave() {
        let quotas = ClaimPlan.quotas(
            [Demand(isBusy: true), Demand(), Demand()], concurrency: 256, budget: 200, turn: 0)
        #expect(quotas == [198, 1, 1])
    }

    @Test func busyLanesShareEqually() {
        let quotas = ClaimPlan.quotas(
            [Demand(isBusy: true), Demand(isBusy: true)], concurrency: 256, budget: 200, turn: 0)
        #expect(quotas == [100, 100])
    }

    @Test func aStuckLaneCannotTakeTheReserveOfTheOthers() {
        let reserve = ClaimPlan.reserve(concurrency: 256, laneCount: 2)
        #expect(reserve == 16)
        let stuck = Demand(isBusy: true, taken: 240)
        let quotas = ClaimPlan.quotas([stuck, Demand(isBusy: true)], concurrency: 256, budget: 16, turn: 0)
        #expect(quotas == [0, 16])
    }

    @Test func lanesTakeTurnsWhereThereAreFewerSlotsThanLanes() {
        let lanes = Array(repeating: Demand(), count: 5)
        var given = [0, 0, 0, 0, 0]
        for turn in 0..<5 {
            let quotas = ClaimPlan.quotas(lanes, concurrency: 2, budget: 2, turn: turn)
            #expect(quotas.reduce(0, +) == 2)
            for index in given.indices { given[index] += quotas[index] }
        }
        #expect(given == [2, 2, 2, 2, 2])
    }

    @Test(arguments: UInt64(1)...20)
    func boundsHold(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<200 {
            let concurrency = Int.random(in: 1...300, using: &random)
            let laneCount = Int.random(in: 1...8, using: &random)
            var free = concurrency
            let lanes = (0..<laneCount).map { _ in
                let taken = Int.random(in: 0...free, using: &random)
                free -= taken
                return Demand(
                    isOpen: Bool.random(using: &random), isBusy: Bool.random(using: &random), taken: taken,
                    limit: Bool.random(using: &random) ? .max : Int.random(in: 0...50, using: &random))
            }
            let budget = min(free, Int.random(in: 0...200, using: &random))
            let quotas = ClaimPlan.quotas(lanes, concurrency: concurrency, budget: budget, turn: 3)
            let note = "seed \(seed): \(lanes), \(concurrency), \(budget): \(quotas)"
            #expect(quotas.reduce(0, +) <= budget, "\(note)")
            let reserve = ClaimPlan.reserve(concurrency: concurrency, laneCount: laneCount)
            for (lane, quota) in zip(lanes, quotas) {
                #expect(quota >= 0 && (lane.isOpen || quota == 0), "\(note)")
                #expect(quota == 0 || lane.taken + quota <= lane.limit, "\(note)")
                // A lane below its reserve is never refused while slots last.
                let wants = lane.isOpen && lane.taken < min(reserve, lane.limit)
                #expect(!wants || quota > 0 || budget < laneCount, "\(note)")
            }
        }
    }
}
