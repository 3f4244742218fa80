import Postgres
import PostgresStore
import TestSupport
import Testing

@Suite struct SamplesTests {
    @Test func whatPollersNotedIsAddedUp() async throws {
        try await withTestDatabase { database in
            let samples = Samples(pool: database.pool)
            func sample(_ watch: String, _ checks: Int64, due: Int64) -> Samples.Sample {
                .init(watch: watch, checks: checks, failed: 1, lateness: [checks - 1, 1, 0], due: due)
            }
            try await samples.add([sample("orders", 10, due: 5), sample("timers", 20, due: 1)], poller: "a")
            try await samples.add([sample("orders", 100, due: 7)], poller: "b")
            try await samples.add([], poller: "c")
            let steps = try await samples.recent(.seconds(3_600), step: .seconds(3_600))
            // Rows that are due are the same for every poller: the most that one saw, of each watch.
            #expect(steps.map(\.checks) == [130] && steps.map(\.failed) == [3] && steps.map(\.due) == [8])
            #expect(steps.first?.lateness == [127, 3, 0])
            try await database.pool.withTransaction { transaction in
                try transaction.execute(
                    script: "UPDATE reconciled.samples SET at = now() - interval '25 hours' WHERE poller = 'a'")
            }
            try await samples.forgetOld()
            #expect(try await samples.recent(.seconds(172_800), step: .seconds(172_800)).map(\.checks) == [100])
        }
    }
}
