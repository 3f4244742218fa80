import Testing
import Timeline

@testable import Reconciling

@Suite struct LaneBoundsTests {
    private func place(_ seconds: Int64, _ id: String = "r") -> ClaimBound<String> {
        ClaimBound(dueAt: Timestamp(microseconds: seconds * 1_000_000), id: id)
    }

    private func at(_ milliseconds: Int64) -> Moment { Moment(nanoseconds: milliseconds * 1_000_000) }

    private func below(_ seconds: Int64) -> Timestamp { place(seconds).dueAt - .microseconds(1) }

    private func advanced(to seconds: Int64...) -> LaneBounds<String> {
        var bounds = LaneBounds<String>()
        for second in seconds {
            let start = bounds.start(isSweep: false, now: at(0))
            bounds.finish(start, last: place(second), isFull: true)
        }
        return bounds
    }

    @Test func claimsGoOnWhereTheLastOneEnded() {
        var bounds = advanced(to: 10, 20)
        #expect(bounds.start(isSweep: false, now: at(0)).from?.dueAt == place(20).dueAt)
    }

    @Test func aClaimThatComesBackLateLowersNothing() {
        var bounds = advanced(to: 10)
        let (first, second) = (bounds.start(isSweep: false, now: at(0)), bounds.start(isSweep: false, now: at(0)))
        bounds.finish(second, last: place(30), isFull: true)
        bounds.finish(first, last: place(20), isFull: true)
        #expect(bounds.current?.dueAt == place(30).dueAt)
    }

    @Test func aSweepStartsAtTheBottomAndGoesOnThereIfItIsFull() {
        var bounds = advanced(to: 100)
        let before = bounds.start(isSweep: false, now: at(0))
        let sweep = bounds.start(isSweep: true, now: at(0))
        #expect(sweep.from == nil)
        bounds.finish(sweep, last: place(5), isFull: true)
        // Sent before the sweep: it must not jump over what the sweep left.
        bounds.finish(before, last: place(110), isFull: true)
        #expect(bounds.current?.dueAt == place(5).dueAt)
    }

    @Test func aSweepThatFoundLittleGivesTheBoundBack() {
        var bounds = advanced(to: 100)
        let sweep = bounds.start(isSweep: true, now: at(0))
        bounds.finish(sweep, last: nil, isFull: false)
        #expect(bounds.current?.dueAt == place(100).dueAt)
    }

    @Test func aWakeUpLooksTwoSecondsBack() {
        var bounds = advanced(to: 90, 95, 97, 99, 100)
        bounds.wokenUp(now: place(100).dueAt)
        #expect(bounds.current?.dueAt == below(98))
        var backlog = advanced(to: 10, 20)
        backlog.wokenUp(now: place(100).dueAt)
        #expect(backlog.current?.dueAt == place(20).dueAt)
    }

    @Test func aRowThatIsDueBelowTheBoundIsLookedFor() {
        var bounds = advanced(to: 100)
        bounds.lower(to: place(60).dueAt)
        #expect(bounds.current?.dueAt == below(60))
        bounds.lower(to: place(80).dueAt)
        #expect(bounds.current?.dueAt == below(60))
        // The claim that looks there raises it again.
        let start = bounds.start(isSweep: false, now: at(0))
        bounds.finish(start, last: place(90), isFull: true)
        #expect(bounds.current?.dueAt == place(90).dueAt)
    }

    /// What lies between was seen before: no claim walks it again and again.
    @Test func aBoundThatANotificationLoweredGoesBackWhenTheRowWasFound() {
        for dueFrom in [place(50).dueAt, .distantPast] {
            var bounds = advanced(to: 100)
            let before = bounds.start(isSweep: false, now: at(0))
            #expect(bounds.wokenUp(dueFrom: dueFrom, now: at(0)) == at(0))
            bounds.finish(before, last: place(110), isFull: false)
            let first = bounds.start(isSweep: false, now: at(0))
            #expect(first.from.map(\.dueAt) == (dueFrom == .distantPast ? nil : below(50)))
            bounds.finish(first, last: place(60), isFull: true)
            #expect(bounds.current?.dueAt == place(60).dueAt)
            let second = bounds.start(isSweep: false, now: at(0))
            bounds.finish(second, last: place(70), isFull: false)
            #expect(bounds.current?.dueAt == place(100).dueAt)
            // It is no place to go back to any more.
            bounds.lower(to: place(30).dueAt)
            let third = bounds.start(isSweep: false, now: at(0))
            bounds.finish(third, last: place(35), isFull: false)
            #expect(bounds.current?.dueAt == place(35).dueAt)
        }
    }

    /// It may have seen a lane on hold, or a row whose lease is not given back yet: the next one looks there again.
    @Test func aClaimThatFindsNothingLeavesALoweredBoundWhereItIs() {
        var bounds = advanced(to: 100)
        _ = bounds.wokenUp(dueFrom: place(50).dueAt, now: at(0))
        for _ in 0..<3 {
            let start = bounds.start(isSweep: false, now: at(0))
            bounds.finish(start, last: nil, isFull: false)
            #expect(bounds.current?.dueAt == below(50))
        }
        // The sweep has looked there as well.
        let sweep = bounds.start(isSweep: true, now: at(0))
        bounds.finish(sweep, last: nil, isFull: false)
        #expect(bounds.current?.dueAt == place(100).dueAt)
        bounds.reset()
        let start = bounds.start(isSweep: false, now: at(0))
        bounds.finish(start, last: place(5), isFull: false)
        #expect(bounds.current?.dueAt == place(5).dueAt)
    }

    /// Whoever adds rows that are due since long ago, one by one, has nobody walk the dead entries for each.
    @Test func farBelowIsLookedOnceASecond() {
        var bounds = advanced(to: 100)
        func claim(at milliseconds: Int64) -> Timestamp? {
            let start = bounds.start(isSweep: false, now: at(milliseconds))
            bounds.finish(start, last: place(99), isFull: false)
            return start.from?.dueAt
        }
        #expect(bounds.wokenUp(dueFrom: place(50).dueAt, now: at(0)) == at(0))
        #expect(claim(at: 1) == below(50))
        #expect(bounds.wokenUp(dueFrom: place(40).dueAt, now: at(10)) == at(1_000))
        #expect(bounds.wokenUp(dueFrom: place(60).dueAt, now: at(20)) == at(1_000))
        #expect(claim(at: 30) == place(100).dueAt)
        // Near below there is next to nothing to walk.
        #expect(bounds.wokenUp(dueFrom: place(99).dueAt, now: at(40)) == at(40))
        #expect(claim(at: 50) == below(99))
        #expect(claim(at: 1_000) == below(40))
        #expect(bounds.wokenUp(dueFrom: place(30).dueAt, now: at(1_500)) == at(2_000))
        // A sweep has seen them all.
        let sweep = bounds.start(isSweep: true, now: at(1_600))
        bounds.finish(sweep, last: place(30), isFull: false)
        #expect(claim(at: 2_000) == place(99).dueAt)
    }

    /// Of many rows that were made due while a claim was under way, it is the lowest that counts.
    @Test(arguments: [1, 2, 40]) func aClaimDoesNotJumpOverWhatFellDueMeanwhile(count: Int64) {
        for isAscending in [true, false] {
            var bounds = advanced(to: 10)
            let start = bounds.start(isSweep: false, now: at(0))
            for step in 0..<count { bounds.lower(to: place(50 + (isAscending ? step : count - 1 - step)).dueAt) }
            let later = bounds.start(isSweep: false, now: at(0))
            bounds.finish(start, last: place(200), isFull: true)
            #expect(bounds.current?.dueAt == below(50))
            // One that was sent afterwards has seen them all.
            bounds.finish(later, last: place(200), isFull: true)
            #expect(bounds.current?.dueAt == place(200).dueAt)
        }
    }

    /// What falls due later than the claim reaches keeps it from nothing, however much that is.
    @Test func rowsThatAreDueLaterHoldNoBoundDown() {
        var bounds = advanced(to: 10)
        for round in Int64(1)...5 {
            for row in Int64(0)..<100 { bounds.lower(to: place(1_000 * round + row).dueAt) }
            let start = bounds.start(isSweep: false, now: at(0))
            for row in Int64(0)..<20 { bounds.lower(to: place(1_000 * (round + 1) + row).dueAt) }
            bounds.finish(start, last: place(1_000 * round + 99), isFull: true)
            #expect(bounds.current?.dueAt == place(1_000 * round + 99).dueAt)
        }
    }

    /// A nudge between the statement and its answer: the claim did not see the row, and must not jump over it.
    @Test func aClaimThatWasUnderWayAtAWakeUpRaisesNothingAboveIt() {
        for first in [[Int64](), [10], [10, 50]] {
            for isSweep in [false, true] {
                var bounds = LaneBounds<String>()
                for second in first {
                    let start = bounds.start(isSweep: false, now: at(0))
                    bounds.finish(start, last: place(second), isFull: true)
                }
                let start = bounds.start(isSweep: isSweep, now: at(0))
                bounds.wokenUp(now: place(103).dueAt)
                bounds.finish(start, last: place(102), isFull: false)
                #expect(bounds.current?.dueAt == below(101))
            }
        }
    }

    /// Wake-ups that never end must not keep claims at the bottom of a drained index.
    @Test func aClaimThatWasUnderWayAtAWakeUpStillRaisesTheBoundOfABacklog() {
        var bounds = advanced(to: 10)
        let start = bounds.start(isSweep: true, now: at(0))
        bounds.wokenUp(now: place(100).dueAt)
        bounds.finish(start, last: place(50), isFull: true)
        #expect(bounds.current?.dueAt == place(50).dueAt)
    }
}
