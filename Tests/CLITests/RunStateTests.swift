import TestSupport
import Testing

@testable import ReconciledCLI

/// Which configuration of a process runs, as scripts of events.
@Suite struct RunStateTests {
    typealias Step = (event: RunState.Event, actions: [RunState.Action])

    private func follow(_ steps: [Step], sourceLocation: SourceLocation = #_sourceLocation) -> RunState {
        var state = RunState()
        for (index, step) in steps.enumerated() {
            let actions = state.handle(step.event)
            #expect(actions == step.actions, "step \(index): \(step.event)", sourceLocation: sourceLocation)
        }
        return state
    }

    /// The front goes last.
    @Test func itStops() {
        _ = follow([
            (.stop, [.finishPollers]),
            (.stop, []),
            (.pollersEnded(1, failed: false), [.finishFront]),
            (.frontEnded(failed: false), [.end]),
        ])
    }

    @Test func itLeavesAtOnce() {
        _ = follow([(.stop, [.finishPollers]), (.leave, [.end])])
    }

    @Test func aConfigurationTakesOver() {
        let state = follow([
            (.reload, [.finishFront]),
            (.frontEnded(failed: false), [.finishPollers, .begin]),
            (.pollersEnded(1, failed: false), [.close(1)]),
            (.stop, [.finishPollers]),
            (.pollersEnded(2, failed: false), [.finishFront]),
            (.frontEnded(failed: false), [.end]),
        ])
        #expect(state.current == 2)
    }

    /// The newest of those that came meanwhile, once.
    @Test func aThirdOneWaitsForTheFirst() {
        var state = follow([
            (.reload, [.finishFront]),
            (.reload, []),
            (.frontEnded(failed: false), [.finishPollers, .begin]),
            (.reload, []),
        ])
        #expect(state.isWaiting)
        #expect(state.handle(.reload) == [])
        #expect(state.handle(.pollersEnded(1, failed: false)) == [.close(1), .finishFront])
        #expect(!state.isWaiting)
        #expect(state.handle(.frontEnded(failed: false)) == [.finishPollers, .begin])
        #expect(state.current == 3)
    }

    /// Checks that ignore their end hold up neither a configuration nor the front's end.
    @Test func whatIsLateIsNotWaitedFor() {
        let state = follow([
            (.reload, [.finishFront]),
            (.frontEnded(failed: false), [.finishPollers, .begin]),
            (.reload, []),
            (.late(1), [.finishFront]),
            (.frontEnded(failed: false), [.finishPollers, .begin]),
            // The alarm of one that ended in time.
            (.pollersEnded(2, failed: false), [.close(2)]),
            (.late(2), []),
            (.stop, [.finishPollers]),
            (.pollersEnded(3, failed: false), [.finishFront]),
            (.frontEnded(failed: false), [.end]),
        ])
        #expect(state.current == 3)
    }

    @Test func theEndWaitsForWhatLeaves() {
        _ = follow([
            (.reload, [.finishFront]),
            (.frontEnded(failed: false), [.finishPollers, .begin]),
            (.stop, [.finishPollers]),
            (.pollersEnded(2, failed: false), []),
            (.pollersEnded(1, failed: false), [.close(1), .finishFront]),
            (.frontEnded(failed: false), [.end]),
        ])
    }

    @Test func whoStopsTakesNothingOver() {
        let state = follow([
            (.reload, [.finishFront]),
            (.stop, [.finishPollers]),
            (.reload, []),
            (.frontEnded(failed: false), []),
            (.pollersEnded(1, failed: false), [.end]),
        ])
        #expect(state.current == 1)
        #expect(!state.isWaiting)
    }

    /// What runs is finished first.
    @Test func aFailureEndsTheProcess() {
        _ = follow([
            (.frontEnded(failed: true), [.finishPollers]),
            (.reload, []),
            (.pollersEnded(1, failed: false), [.end]),
        ])
        _ = follow([
            (.pollersEnded(1, failed: true), [.finishFront]),
            (.frontEnded(failed: true), [.end]),
        ])
        _ = follow([
            (.reload, [.finishFront]),
            (.frontEnded(failed: false), [.finishPollers, .begin]),
            (.frontEnded(failed: true), [.finishPollers]),
            (.pollersEnded(2, failed: true), []),
            (.pollersEnded(1, failed: false), [.close(1), .end]),
        ])
    }

    @Test func theFailureOfOneThatLeavesEndsNoOther() {
        let state = follow([
            (.reload, [.finishFront]),
            (.frontEnded(failed: false), [.finishPollers, .begin]),
            (.pollersEnded(1, failed: true), [.close(1)]),
        ])
        #expect(!state.isStopping)
    }

    /// Whatever comes in whatever order, nothing is said twice, and everything ends.
    @Test(arguments: 1...200 as ClosedRange<UInt64>) func everyRunEnds(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var state = RunState()
        var current = 1
        var (isFrontRunning, isFrontEnding) = (true, false)
        var running: Set = [1]
        var finishing: Set<Int> = []
        var closed: Set<Int> = []
        var steps = 0
        while true {
            steps += 1
            guard steps < 1_000 else {
                Issue.record("does not end, seed \(seed)")
                return
            }
            var events: [RunState.Event] = [.reload]
            if steps > 20 { events = [.stop] }
            if isFrontRunning, isFrontEnding || Int.random(in: 0..<50, using: &random) == 0 {
                events.append(.frontEnded(failed: !isFrontEnding))
            }
            events += running.sorted().filter { finishing.contains($0) }.flatMap {
                [.pollersEnded($0, failed: Bool.random(using: &random)), .late($0)]
            }.filter { $0 != .late(current) }
            let event = events.randomElement(using: &random)!
            if case .frontEnded = event { isFrontRunning = false }
            if case .pollersEnded(let number, _) = event { running.remove(number) }
            for action in state.handle(event) {
                switch action {
                case .finishPollers:
                    #expect(finishing.insert(current).inserted, "seed \(seed)")
                case .finishFront:
                    #expect(isFrontRunning && !isFrontEnding, "seed \(seed)")
                    isFrontEnding = true
                case .begin:
                    #expect(!isFrontRunning && !state.isStopping, "seed \(seed)")
                    (isFrontRunning, isFrontEnding) = (true, false)
                    current += 1
                    running.insert(current)
                case .close(let number):
                    #expect(!running.contains(number) && closed.insert(number).inserted, "seed \(seed)")
                case .end:
                    #expect(!isFrontRunning && !running.contains(current), "seed \(seed)")
                    return
                }
            }
        }
    }
}
