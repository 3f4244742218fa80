import Postgres
import Schema
import TestSupport
import Testing
import Timeline

@testable import Timers

@Suite struct TimerGridTests {
    private let grid = TimerGrid(anchor: Sample.anchor, every: .seconds(10))

    @Test(arguments: [
        (-3_600.0, 0.0), (-0.000001, 0), (0, 10), (0.000001, 10), (9.999999, 10), (10, 20), (35, 40), (86_400, 86_410),
    ])
    func theFirstInstantIsTheAnchorAndEachIsAfterTheGivenOne(after seconds: Double, next: Double) {
        #expect(grid.instant(after: Sample.at(seconds)) == Sample.at(next))
    }

    @Test func whatIsOnTheGridIsKnown() {
        #expect(grid.contains(Sample.at(0)) && grid.contains(Sample.at(50)))
        #expect(!grid.contains(Sample.at(-10)) && !grid.contains(Sample.at(50.000001)))
        #expect(grid.instant(notAfter: Sample.at(-1)) == nil)
        #expect(grid.instant(notAfter: Sample.at(59.9)) == Sample.at(50))
        #expect(grid.count(from: Sample.at(10), through: Sample.at(50)) == 5)
        #expect(grid.count(from: Sample.at(60), through: Sample.at(50)) == 0)
    }

    /// Each run late by something else, and an interval that no float holds: the millionth is where it belongs.
    @Test func aMillionRunsDoNotDrift() {
        var random = SeededRandom()
        let grid = TimerGrid(anchor: Sample.anchor, every: .microseconds(333_333))
        var instant = grid.instant(after: Sample.at(-1))
        for _ in 0..<1_000_000 {
            let late = instant + .microseconds(Int64.random(in: 0..<333_333, using: &random))
            instant = grid.instant(after: late)
        }
        #expect(instant.microseconds == Sample.anchor.microseconds + 1_000_000 * 333_333, "seed \(TestSeed.value)")
    }

    @Test func theEndOfTimeIsNoTrap() {
        let grid = TimerGrid(anchor: Timestamp(microseconds: .max - 5), every: .seconds(1))
        #expect(grid.instant(after: Timestamp(microseconds: .max - 2)) == .distantFuture)
        let old = TimerGrid(anchor: Timestamp(microseconds: .min), every: .seconds(1))
        #expect(old.instant(after: Timestamp(microseconds: .max - 2)) == .distantFuture)
        #expect(old.instant(notAfter: Timestamp(microseconds: .max - 2)) == nil)
    }

    /// What triggers reckon in SQL is what the rules reckon, also in a zone with summer time, across its changes.
    @Test func theDatabaseReckonsTheSame() async throws {
        var random = SeededRandom()
        var cases: [(anchor: Timestamp, every: Duration, after: Timestamp)] = []
        for _ in 0..<2_000 {
            let anchor = Timestamp(microseconds: Int64.random(in: 0...32_000_000_000_000_000, using: &random))
            let every = Int64.random(in: 1...1 << Int64.random(in: 1...50, using: &random), using: &random)
            let elapsed = Int64.random(in: -1_000_000...7_000_000_000_000_000, using: &random)
            cases.append((anchor, .microseconds(every), anchor + .microseconds(elapsed)))
        }
        let day = Duration.seconds(86_400)
        cases.append((Timestamp("2026-03-01T01:30:00Z")!, day, Timestamp("2026-03-28T12:00:00Z")!))
        cases.append((Timestamp("2026-10-01T00:30:00Z")!, day, Timestamp("2026-10-25T00:31:00Z")!))
        let statement = Statement(
            name: "",
            text: """
                SELECT reconciled.timer_instant(input.anchor_at, input.every, input.after)
                FROM unnest($1::timestamptz[], $2::interval[], $3::timestamptz[])
                    WITH ORDINALITY AS input (anchor_at, every, after, position)
                ORDER BY input.position
                """)
        try await withTestDatabase { database in
            let query = PostgresQuery(
                statement,
                [
                    .timestamptzArray(cases.map(\.anchor)), .intervalArray(cases.map(\.every)),
                    .timestamptzArray(cases.map(\.after)),
                ])
            let instants = try await database.pool.withTransaction { transaction in
                try transaction.execute(script: "SET LOCAL timezone = 'Europe/Berlin'")
                return try transaction.query(query) { rows in try rows.map { row in try row.read(Timestamp.self) } }
            }
            #expect(instants.count == cases.count)
            for (sample, instant) in zip(cases, instants) {
                let grid = TimerGrid(anchor: sample.anchor, every: sample.every)
                #expect(grid.instant(after: sample.after) == instant, "\(sample), seed \(TestSeed.value)")
            }
        }
    }
}
