import Reconciling
import TestSupport
import Testing
import Timeline

@testable import Timers

@Suite struct TimerRulesTests {
    private func decide(
        _ timer: Timer = Sample.timer(), instant: Double, ok: Bool = true, wait: Duration? = nil, failures: Int = 0,
        now: Double
    ) -> TimerDecision {
        TimerRules.decide(
            timer, instant: Sample.at(instant), .init(isExpected: ok, wait: wait), failureCount: failures,
            now: Sample.at(now))
    }

    // MARK: beginning

    @Test func aRunStandsForTheInstantItIsDueAt() {
        let timer = Sample.timer()
        func begin(dueAt: Double?, kept: Double? = nil, now: Double) -> TimerRules.Beginning {
            TimerRules.begin(timer, dueAt: dueAt.map(Sample.at), kept: kept.map(Sample.at), now: Sample.at(now))
        }
        #expect(begin(dueAt: 10, now: 10.002) == .run(instant: Sample.at(10)))
        #expect(begin(dueAt: 10, now: 3_600) == .run(instant: Sample.at(10)))
        // A nudge: the instant it was made due at.
        #expect(begin(dueAt: 13, now: 13.001) == .run(instant: Sample.at(13)))
        // Tried again, or made up for: the instant that it was for.
        #expect(begin(dueAt: 14.5, kept: 10, now: 14.6) == .run(instant: Sample.at(10)))
        // By hand, before its time and at rest: the grid's instant is not used up.
        #expect(begin(dueAt: 20, now: 12) == .run(instant: Sample.at(12)))
        #expect(begin(dueAt: nil, now: 12) == .run(instant: Sample.at(12)))
    }

    @Test(arguments: ["paused", "finished", "review", "foreign"])
    func whatIsNotActiveIsNotCalledNotEvenByANudge(status: String) {
        let timer = Sample.timer(status: status)
        #expect(
            TimerRules.begin(timer, dueAt: Sample.at(13), kept: nil, now: Sample.at(13))
                == .rest(status: status, reason: nil))
    }

    @Test func whatHasRunOutIsNotCalled() {
        let done = Sample.timer(runCount: 3, maxRuns: 3)
        #expect(
            TimerRules.begin(done, dueAt: Sample.at(10), kept: nil, now: Sample.at(10))
                == .rest(status: "finished", reason: "MAX_RUNS"))
        let ended = Sample.timer(endsAt: Sample.at(10))
        #expect(
            TimerRules.begin(ended, dueAt: Sample.at(20), kept: nil, now: Sample.at(20))
                == .rest(status: "finished", reason: "ENDED"))
        // Due in time, and only late.
        #expect(
            TimerRules.begin(ended, dueAt: Sample.at(10), kept: nil, now: Sample.at(99))
                == .run(instant: Sample.at(10)))
    }

    // MARK: the grid

    @Test(arguments: Timer.CatchUp.allCases)
    func theNextInstantDoesNotDependOnWhenTheRunEnded(catchUp: Timer.CatchUp) {
        for now in [10.0, 10.5, 19.999999] {
            let decision = decide(Sample.timer(catchUp: catchUp), instant: 10, now: now)
            #expect(decision.verdict == .settled)
            #expect(decision.nextAt == Sample.at(20))
            #expect(decision.kept == nil)
            #expect(decision.runs == 1)
            #expect(decision.status == "active")
        }
    }

    @Test(arguments: Timer.CatchUp.allCases)
    func aNudgeLeavesTheGridAlone(catchUp: Timer.CatchUp) {
        let timer = Sample.timer(catchUp: catchUp)
        #expect(decide(timer, instant: 13, now: 13.1).nextAt == Sample.at(20))
        #expect(decide(timer, instant: -100, now: -99).nextAt == Sample.at(0))
        // The instant that went by during its call is overdue, and is run.
        let overdue = decide(timer, instant: 19.9, now: 20.1)
        #expect(overdue.next == .after(.zero))
        #expect(overdue.kept == Sample.at(20))
        #expect(overdue.nextAt == nil)
    }

    // MARK: catching up

    @Test func skipGoesOnInTheFuture() {
        let decision = decide(instant: 10, now: 47)
        #expect(decision.nextAt == Sample.at(50))
        #expect(decision.kept == nil)
        #expect(decide(instant: 10, now: 20).nextAt == Sample.at(30))
    }

    @Test func onceRunsOneMoreForEverythingMissed() {
        let timer = Sample.timer(catchUp: .once)
        let first = decide(timer, instant: 10, now: 47)
        #expect(first.next == .after(.zero))
        #expect(first.kept == Sample.at(40))
        #expect(decide(timer, instant: 40, now: 47.1).nextAt == Sample.at(50))
    }

    @Test func allRunsEachInOrder() {
        let timer = Sample.timer(catchUp: .all)
        var instants: [Timestamp] = []
        var instant = 10.0
        while true {
            let decision = decide(timer, instant: instant, now: 47)
            guard let kept = decision.kept else {
                #expect(decision.nextAt == Sample.at(50))
                break
            }
            #expect(decision.next == .after(.zero))
            #expect(decision.leftOut == 0)
            instants.append(kept)
            instant += 10
        }
        #expect(instants == [20, 30, 40].map(Sample.at))
    }

    @Test func allIsBoundedToTheNewest() {
        let timer = Sample.timer(catchUp: .all)
        // Missed: 20 … 20,000, which are 1,999.
        let decision = decide(timer, instant: 10, now: 20_005)
        #expect(decision.leftOut == 999)
        #expect(decision.kept == Sample.at(20 + 9_990))
        let exact = decide(timer, instant: 10, now: 10_019)
        #expect(exact.leftOut == 0)
        #expect(exact.kept == Sample.at(20))
    }

    @Test func nothingIsMadeUpForPastTheEnd() {
        let end = Sample.at(35)
        #expect(decide(Sample.timer(catchUp: .once, endsAt: end), instant: 10, now: 99).kept == Sample.at(30))
        #expect(decide(Sample.timer(catchUp: .all, endsAt: end), instant: 10, now: 99).kept == Sample.at(20))
        for catchUp in Timer.CatchUp.allCases {
            let last = decide(Sample.timer(catchUp: catchUp, endsAt: end), instant: 30, now: 99)
            #expect(last.status == "finished")
            #expect(last.reason == "ENDED")
            #expect(last.next == .rest)
        }
        #expect(decide(Sample.timer(endsAt: end), instant: 10, now: 99).status == "finished")
        // The end itself may still run.
        #expect(decide(Sample.timer(endsAt: Sample.at(20)), instant: 10, now: 10).nextAt == Sample.at(20))
        #expect(decide(Sample.timer(endsAt: Sample.at(19)), instant: 10, now: 10).status == "finished")
    }

    @Test func theLastRunFinishes() {
        let decision = decide(Sample.timer(runCount: 2, maxRuns: 3), instant: 10, now: 10)
        #expect(decision.status == "finished")
        #expect(decision.reason == "MAX_RUNS")
        #expect(decision.verdict == .settled)
        #expect(decision.next == .rest)
        #expect(decision.runs == 1)
        #expect(decide(Sample.timer(runCount: 1, maxRuns: 3), instant: 10, now: 10).status == "active")
    }

    // MARK: failures

    @Test func aFailedCallIsTriedAgainOnlyBeforeTheNextInstant() {
        // 1 s, 2 s, 4 s and 8 s at most: the fourth could end after the next instant.
        for (failures, now) in [(0, 10.1), (1, 11), (2, 13)] {
            let decision = decide(instant: 10, ok: false, failures: failures, now: now)
            #expect(decision.verdict == .failed)
            #expect(decision.next == .backoff)
            #expect(decision.kept == Sample.at(10))
            #expect(decision.runs == 0)
        }
        let over = decide(instant: 10, ok: false, failures: 3, now: 17)
        #expect(over.verdict == .failed)
        #expect(over.nextAt == Sample.at(20))
        #expect(over.kept == nil)
        #expect(over.runs == 1)
    }

    @Test func aTimerOfADayIsTriedAgainUntilTheNext() {
        let timer = Sample.timer(every: .seconds(86_400))
        #expect(decide(timer, instant: 0, ok: false, failures: 100, now: 80_000).kept == Sample.at(0))
        let over = decide(timer, instant: 0, ok: false, failures: 100, now: 86_000)
        #expect(over.kept == nil)
        #expect(over.nextAt == Sample.at(86_400))
    }

    @Test func aTimerOfASecondGoesOnWithItsGrid() {
        let decision = decide(Sample.timer(every: .seconds(1)), instant: 10, ok: false, now: 10.01)
        #expect(decision.nextAt == Sample.at(11))
        #expect(decision.runs == 1)
    }

    @Test func aFailedLastRunFinishesOnlyWhenItIsOver() {
        let timer = Sample.timer(runCount: 2, maxRuns: 3)
        #expect(decide(timer, instant: 10, ok: false, now: 10).status == "active")
        let over = decide(timer, instant: 10, ok: false, failures: 5, now: 10)
        #expect(over.status == "finished")
        #expect(over.verdict == .failed)
    }

    @Test func missedRunsAreMadeUpForAtTheTargetsPace() {
        let timer = Sample.timer(catchUp: .all)
        let slow = decide(timer, instant: 10, ok: false, failures: 0, now: 47)
        #expect(slow.kept == Sample.at(20))
        #expect(slow.next == .backoff)
        #expect(slow.runs == 1)
        // Not more slowly than new ones come.
        let slower = decide(timer, instant: 10, ok: false, failures: 9, now: 47)
        #expect(slower.kept == Sample.at(20))
        #expect(slower.next == .after(.seconds(3)))
        #expect(slower.nextAt == nil)
    }

    @Test func retryAfterIsHonouredForAnHourAtMost() {
        let soon = decide(instant: 10, ok: false, wait: .seconds(5), now: 10)
        #expect(soon.next == .after(.seconds(5)))
        #expect(soon.kept == Sample.at(10))
        let later = decide(instant: 10, ok: false, wait: .seconds(60), now: 10)
        #expect(later.nextAt == Sample.at(80))
        let longest = decide(instant: 10, ok: false, wait: .seconds(999_999), now: 10)
        #expect(longest.nextAt == Sample.at(3_620))
        let all = decide(Sample.timer(catchUp: .all), instant: 10, ok: false, wait: .seconds(60), now: 10)
        #expect(all.next == .after(.seconds(60)))
        #expect(all.kept == Sample.at(20))
        // What was answered as expected says nothing of the kind.
        #expect(decide(instant: 10, ok: true, wait: .seconds(60), now: 10).nextAt == Sample.at(20))
    }

    // MARK: properties

    /// Whatever happens, runs stand for different instants in order, the grid is never left, and time does not stand still.
    @Test(arguments: Timer.CatchUp.allCases)
    func runsGoForwardOnTheGrid(catchUp: Timer.CatchUp) {
        var random = SeededRandom()
        for _ in 0..<300 {
            let every = Int64.random(in: 10_000...20_000_000, using: &random)
            let timer = Sample.timer(every: .microseconds(every), catchUp: catchUp)
            var now = Sample.anchor + .microseconds(Int64.random(in: -5_000_000...5_000_000, using: &random))
            var dueAt = timer.grid.instant(after: now)
            var kept: Timestamp?
            var failures = 0
            var finished: [Timestamp] = []
            var leftOut: Int64 = 0
            for _ in 0..<60 {
                now = max(now, dueAt) + .microseconds(Int64.random(in: 0...3, using: &random) * every / 2)
                guard case .run(let instant) = TimerRules.begin(timer, dueAt: dueAt, kept: kept, now: now) else {
                    Issue.record("an active timer was not run, seed \(TestSeed.value)")
                    return
                }
                now = now + .microseconds(Int64.random(in: 1...2_000_000, using: &random))
                let ok = Int.random(in: 0..<3, using: &random) > 0
                let decision = TimerRules.decide(
                    timer, instant: instant, .init(isExpected: ok), failureCount: failures, now: now)
                failures = ok ? 0 : failures + 1
                if decision.runs == 1 { finished.append(instant) } else { #expect(decision.kept == instant) }
                kept = decision.kept
                leftOut += decision.leftOut
                switch decision.next {
                case .after(let delay): dueAt = decision.nextAt ?? now + delay
                case .backoff:
                    // The whole of it, which is what the rules reckon with.
                    dueAt = now + Backoff.check.limit(failures: failures)
                    if decision.runs == 0 { #expect(dueAt < timer.grid.instant(after: instant)) }
                default: Issue.record("\(decision.next)")
                }
                if let nextAt = decision.nextAt { #expect(nextAt > now && timer.grid.contains(nextAt)) }
            }
            let inOrder = zip(finished, finished.dropFirst()).allSatisfy { $0 < $1 }
            #expect(inOrder, "seed \(TestSeed.value)")
            #expect(finished.allSatisfy(timer.grid.contains), "seed \(TestSeed.value)")
            if catchUp == .all, leftOut == 0 {
                let isGapless = zip(finished, finished.dropFirst()).allSatisfy { $1 - $0 == .microseconds(every) }
                #expect(isGapless, "seed \(TestSeed.value)")
            }
        }
    }
}
