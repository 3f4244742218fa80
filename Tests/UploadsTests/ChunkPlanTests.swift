import Testing

@testable import Uploads

@Suite struct ChunkPlanTests {
    @Test(
        arguments: [
            // total, chunk, count, last
            (0, 5, 0, 0), (0, 5, 1, 0), (1, 5, 1, 1), (5, 5, 1, 5), (9, 5, 1, 9), (6, 5, 2, 1), (10, 5, 2, 5),
            (14, 5, 2, 9),
            (Int64.max, Int64(1) << 62, 2, Int64.max - Int64(1) << 62),
        ] as [(Int64, Int64, Int, Int64)])
    func theLastChunkTakesTheRest(total: Int64, chunk: Int64, count: Int, last: Int64) {
        #expect(ChunkPlan(totalBytes: total, chunkBytes: chunk, count: count)?.lastChunkBytes == last)
    }

    @Test(
        arguments: [
            (1, 5, 0), (0, 5, 2), (10, 5, 1), (15, 5, 2), (5, 5, 2), (-1, 5, 1), (5, 0, 1), (5, -5, 1), (5, 5, -1),
            (Int64.max, 1, 1_000_000), (1, Int64.max, 1_000_001),
        ] as [(Int64, Int64, Int)])
    func whatCannotBeIsRefused(total: Int64, chunk: Int64, count: Int) {
        #expect(ChunkPlan(totalBytes: total, chunkBytes: chunk, count: count) == nil)
    }

    @Test(
        arguments: [
            ([], ""), ([3], "3"), ([3, 7, 8, 9], "3,7-9"), ([0, 1, 3, 4, 4], "0-1,3-4"),
        ] as [([Int], String)])
    func rangesAreCompact(numbers: [Int], text: String) {
        #expect(ChunkRanges(numbers).description == text)
    }
}
