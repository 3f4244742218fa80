import TestSupport
import Testing
import Timeline

@testable import Console

@Suite struct HistoryCursorTests {
    private static let start = Moment.now

    @Test func aLateOneIsLookedForAndTakenOnce() {
        var cursor = HistoryCursor(newest: [3, 5], now: Self.start)
        // Whatever is not there yet, also before the first, may be being written.
        #expect(cursor.missing == [1, 2, 4] && cursor.low == 0 && cursor.high == 5)
        for id in [Int64(1), 2] { _ = cursor.take(id, now: Self.start) }
        let taken = [8, 4, 5, 8, 6].map { cursor.take($0, now: Self.start) }
        #expect(taken == [true, true, false, false, true])
        #expect(cursor.missing == [7] && cursor.low == 6 && cursor.high == 8)
        cursor.forget(now: Self.start + HistoryCursor.patience)
        #expect(cursor.missing.isEmpty && cursor.low == 8)
        let isTakenAfterAll = cursor.take(7, now: Self.start)
        #expect(!isTakenAfterAll)
    }

    @Test func whatLiesBeforeTheNewestOnesIsOld() {
        let cursor = HistoryCursor(newest: Array(1_001...2_000), now: Self.start)
        #expect(cursor.missing.isEmpty && cursor.low == 2_000)
    }

    @Test func aSequenceThatWasSetLeavesNoHole() {
        var cursor = HistoryCursor(newest: [], now: Self.start)
        let isTaken = cursor.take(1_000_000_000, now: Self.start)
        #expect(isTaken)
        #expect(cursor.missing.isEmpty)
    }

    /// Whatever the order in which transactions commit: each entry is taken once, and whoever begins again at `low` misses
    /// none.
    @Test func everyEntryIsTakenOnceWhateverTheOrder() {
        var random = SeededRandom(seed: TestSeed.value)
        for _ in 0..<200 {
            let committed = (1...Int64(60)).filter { _ in Int.random(in: 0..<10, using: &random) > 0 }
            var waiting = committed
            var visible: Set<Int64> = []
            var cursor = HistoryCursor(newest: [], now: Self.start)
            var taken: [Int64] = []
            while !waiting.isEmpty || visible.contains(where: { !taken.contains($0) }) {
                // A number is out for a while: one of the first that are waiting commits.
                if !waiting.isEmpty {
                    let next = waiting.remove(at: Int.random(in: 0..<min(8, waiting.count), using: &random))
                    visible.insert(next)
                }
                guard waiting.isEmpty || Bool.random(using: &random) else { continue }
                let missing = Set(cursor.missing)
                let read = visible.filter { $0 > cursor.high || missing.contains($0) }.sorted()
                taken += read.filter { cursor.take($0, now: Self.start) }
                let unseen = committed.filter { !taken.contains($0) }
                #expect(unseen.allSatisfy { $0 > cursor.low }, "seed \(TestSeed.value)")
            }
            #expect(taken.sorted() == committed, "seed \(TestSeed.value)")
        }
    }
}
