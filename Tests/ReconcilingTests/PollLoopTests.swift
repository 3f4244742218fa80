import Testing
import Timeline

@testable import Reconciling

/// The loop as a script of events: what it does next, and until when it sleeps.
@Suite struct PollLoopTests {
    private static let start = Moment(nanoseconds: 1_000_000_000_000)

    private static func loop(lanes: [LaneConfiguration] = [LaneConfiguration(name: "a")]) -> PollLoop {
        PollLoop(PollerConfiguration(watch: "rows", concurrency: 100, batch: 40, lanes: lanes))
    }

    private func load(
        running: [Int] = [0], held: Int? = nil, ready: Int = 0, since: Moment? = nil,
        suspects: [Bool]? = nil
    ) -> PollLoop.Load {
        PollLoop.Load(
            running: running, cooling: running.map { _ in 0 }, held: held ?? running.reduce(ready, +), ready: ready,
            readySince: since,
            holdsSuspect: suspects ?? running.map { _ in false })
    }

    private func round(_ step: PollLoop.Step) throws -> PollLoop.Round {
        guard case .exchange(let round) = step else { throw Unexpected(step: step) }
        return round
    }

    private func wake(_ step: PollLoop.Step) throws -> Moment {
        guard case .wait(let moment) = step else { throw Unexpected(step: step) }
        return moment
    }

    private struct Unexpected: Error {
        var step: PollLoop.Step
    }

    @Test func anIdleLoopAsksLessThanOnceASecond() throws {
        var random = SeededRandom(seed: 1)
        var loop = Self.loop()
        var now = Self.start
        var count = 0
        while now < Self.start + .seconds(1_000) {
            let round = try round(loop.next(now: now, load: load()))
            count += 1
            loop.finished(round.id, found: [.init()], now: now + .milliseconds(2), using: &random)
            now = try wake(loop.next(now: now + .milliseconds(2), load: load()))
        }
        #expect(count < 950 && count > 700)
    }

    @Test func itSleepsToTheNextRow() throws {
        var random = SeededRandom(seed: 1)
        var loop = Self.loop()
        let first = try round(loop.next(now: Self.start, load: load()))
        #expect(first.parts == [.init(lane: 0, count: 40, isSweep: true, includesSuspects: true)])
        let later = Self.start + .milliseconds(2)
        loop.finished(first.id, found: [.init(nextDueIn: .milliseconds(70))], now: later, using: &random)
        #expect(try wake(loop.next(now: later, load: load())) == Self.start + .milliseconds(70))
        let second = try round(loop.next(now: Self.start + .milliseconds(70), load: load()))
        #expect(second.parts == [.init(lane: 0, count: 40, isSweep: false, includesSuspects: true)])
    }

    @Test func conclusionsAndClaimsShareATripUnderLoad() throws {
        var random = SeededRandom(seed: 1)
        var loop = Self.loop()
        let first = try round(loop.next(now: Self.start, load: load()))
        loop.finished(first.id, found: [.init(count: 40)], now: Self.start, using: &random)
        // While the forty are checked, forty more are on their way.
        let second = try round(loop.next(now: Self.start, load: load(running: [40])))
        #expect(second.settleCount == 0)
        #expect(second.parts.map(\.count) == [40])
        let third = try round(loop.next(now: Self.start, load: load(ready: 40, since: Self.start)))
        #expect(third.settleCount == 40)
        #expect(third.parts.map(\.count) == [40])
        // Two trips are the most.
        let step = loop.next(now: Self.start, load: load(running: [0], held: 40, ready: 40, since: Self.start))
        #expect(try wake(step) == .distantFuture)
    }

    @Test func aFewConclusionsWaitAMillisecondForOthers() throws {
        var random = SeededRandom(seed: 1)
        var loop = Self.loop()
        let first = try round(loop.next(now: Self.start, load: load()))
        loop.finished(first.id, found: [.init(count: 5)], now: Self.start, using: &random)
        let waiting = load(running: [4], ready: 1, since: Self.start)
        #expect(try wake(loop.next(now: Self.start, load: waiting)) == Self.start + PollLoop.linger)
        let round = try round(loop.next(now: Self.start + PollLoop.linger, load: waiting))
        #expect(round.settleCount == 1)
        #expect(round.parts.isEmpty)
    }

    @Test func theLastConclusionWaitsForNothing() throws {
        var random = SeededRandom(seed: 1)
        var loop = Self.loop()
        let first = try round(loop.next(now: Self.start, load: load()))
        loop.finished(first.id, found: [.init(count: 1)], now: Self.start, using: &random)
        #expect(try round(loop.next(now: Self.start, load: load(ready: 1, since: Self.start))).settleCount == 1)
    }

    @Test func aLaneWithoutSlotsDoesNotKeepTheOthersBeingAsked() throws {
        var random = SeededRandom(seed: 1)
        var loop = Self.loop(lanes: [LaneConfiguration(name: "a", concurrency: 4), LaneConfiguration(name: "b")])
        let first = try round(loop.next(now: Self.start, load: load(running: [0, 0])))
        loop.finished(first.id, found: [.init(count: 4), .init()], now: Self.start, using: &random)
        let wake = try wake(loop.next(now: Self.start + .milliseconds(10), load: load(running: [4, 0])))
        #expect(wake >= Self.start + .seconds(1))
    }

    @Test func wakeUpsAreDebounced() throws {
        var random = SeededRandom(seed: 1)
        var loop = Self.loop()
        let first = try round(loop.next(now: Self.start, load: load()))
        loop.finished(first.id, found: [.init()], now: Self.start, using: &random)
        let soon = Self.start + .milliseconds(1)
        loop.wokenUp(lane: 0, now: soon)
        loop.wokenUp(lane: 0, now: soon)
        #expect(try wake(loop.next(now: soon, load: load())) == Self.start + PollLoop.debounce)
        _ = try round(loop.next(now: Self.start + PollLoop.debounce, load: load()))
    }

    @Test func inAnOutageConclusionsGoFirstAndNothingIsClaimed() throws {
        var random = SeededRandom(seed: 1)
        var loop = Self.loop()
        let first = try round(loop.next(now: Self.start, load: load()))
        loop.failed(first.id, now: Self.start, using: &random)
        let waiting = load(ready: 3, since: Self.start)
        let retry = try wake(loop.next(now: Self.start, load: waiting))
        #expect(retry >= Self.start + .milliseconds(50) && retry <= Self.start + .milliseconds(100))
        let round = try round(loop.next(now: retry, load: waiting))
        #expect(round.settleCount == 3)
        #expect(round.parts.isEmpty)
    }

    @Test func everyLaneIsSweptInTime() throws {
        var random = SeededRandom(seed: 2)
        var loop = Self.loop()
        var now = Self.start
        var swept = now
        while now < Self.start + .seconds(100) {
            let round = try round(loop.next(now: now, load: load()))
            if round.parts.contains(where: \.isSweep) { swept = now }
            #expect(now - swept <= .seconds(5))
            loop.finished(round.id, found: [.init()], now: now, using: &random)
            now = try wake(loop.next(now: now, load: load()))
        }
    }

    @Test func oneSuspectALaneIsAskedForAtATime() throws {
        var random = SeededRandom(seed: 1)
        var loop = Self.loop(lanes: [LaneConfiguration(name: "a"), LaneConfiguration(name: "b")])
        let first = try round(loop.next(now: Self.start, load: load(running: [0, 0])))
        #expect(first.parts.map(\.includesSuspects) == [true, true])
        let found = [PollLoop.Found(count: 1, isPartial: true), .init(count: first.parts[1].count)]
        loop.finished(first.id, found: found, now: Self.start, using: &random)
        let later = Self.start + .milliseconds(5)
        let second = try round(loop.next(now: later, load: load(running: [1, 0], suspects: [true, false])))
        #expect(second.parts.map(\.includesSuspects) == [false, true])
        // The one of lane b may be on its way.
        loop.leftBehind(lane: 1, now: later)
        let third = try round(loop.next(now: later, load: load(running: [1, 30], ready: 40, since: Self.start)))
        #expect(third.parts.filter { $0.lane == 1 }.allSatisfy { !$0.includesSuspects })
    }

    @Test func aHorizonBeyondAllTimeIsNeverReached() throws {
        for nextDueIn in [Duration.seconds(Int64.max), .seconds(Int64.max) * 4, .microseconds(Int64.max)] {
            var random = SeededRandom(seed: 1)
            var loop = Self.loop()
            let first = try round(loop.next(now: Self.start, load: load()))
            loop.finished(first.id, found: [.init(nextDueIn: nextDueIn)], now: Self.start, using: &random)
            let wake = try wake(loop.next(now: Self.start, load: load()))
            #expect(wake >= Self.start + .seconds(1) && wake <= Self.start + .seconds(2))
        }
    }

    @Test func whatIsHeldIsBounded() throws {
        var loop = Self.loop()
        // Concurrency and two batches: the store is slower to write than the checks are to end.
        let step = loop.next(now: Self.start, load: load(held: 180, ready: 39, since: Self.start))
        #expect(try round(step).parts.isEmpty)
    }
}
