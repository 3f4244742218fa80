import Testing

@testable import Reconciling

@Suite struct LaneGuardTests {
    @Test func threeDifferentRowsPauseTheLane() {
        var lane = LaneGuard<String>()
        #expect(lane.misconfigured(row: "r1", reason: "401") == nil)
        #expect(lane.misconfigured(row: "r1", reason: "401") == nil)
        #expect(lane.misconfigured(row: "r2", reason: "401") == nil)
        #expect(lane.misconfigured(row: "r3", reason: "403") == .pause(reason: "403"))
        #expect(lane.misconfigured(row: "r4", reason: "401") == nil)
    }

    @Test func anAnswerBetweenStartsTheCountAnew() {
        var lane = LaneGuard<String>()
        _ = lane.misconfigured(row: "r1", reason: "401")
        _ = lane.misconfigured(row: "r2", reason: "401")
        #expect(lane.answered() == nil)
        #expect(lane.misconfigured(row: "r3", reason: "401") == nil)
        #expect(lane.misconfigured(row: "r4", reason: "401") == nil)
        #expect(lane.misconfigured(row: "r5", reason: "401") == .pause(reason: "401"))
    }

    @Test func theFirstAnswerEndsAPauseWhoeverBeganIt() {
        var lane = LaneGuard<String>()
        lane.observed(pausedForConfiguration: true)
        #expect(lane.misconfigured(row: "r1", reason: "401") == nil)
        #expect(lane.answered() == .resume)
        #expect(lane.answered() == nil)
    }

    @Test func aPauseThatTheStoreWasNotToldIsBegunAgain() {
        var lane = LaneGuard<String>()
        for row in ["r1", "r2", "r3"] { _ = lane.misconfigured(row: row, reason: "401") }
        lane.forget()
        _ = lane.misconfigured(row: "r1", reason: "401")
        _ = lane.misconfigured(row: "r2", reason: "401")
        #expect(lane.misconfigured(row: "r3", reason: "401") == .pause(reason: "401"))
    }
}
