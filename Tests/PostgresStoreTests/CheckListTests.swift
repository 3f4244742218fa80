import Payments
import Postgres
import PostgresStore
import TestSupport
import Testing

/// What a row's questions were answered, as people read it.
@Suite struct CheckListTests {
    /// Pollers' sessions take turns at a row; the newest check is the last one, whichever wrote it.
    @Test func theNewestChecksAreThoseThatWereWrittenLast() async throws {
        try await withTestDatabase { database in
            let sessions = [
                database.makePool(size: 1, applicationName: "one"), database.makePool(size: 1, applicationName: "two"),
            ]
            for number in 1...7 {
                let sql = """
                    INSERT INTO reconciled.checks (watch, row_id, lane, verdict, status_before, status_after, reason)
                    VALUES ('orders', 'r1', 'a', 'recheck', 'pending', 'pending', 'N\(number)')
                    """
                try await sessions[number % 2].execute(PostgresQuery(Statement(name: "", text: sql)))
            }
            for session in sessions { await session.close() }
            let desk = WatchDesk<OrderTable>(pool: database.pool, actor: "ann")
            let newest = try await desk.checks("r1", limit: 3)
            #expect(newest.count == 3)
            for (number, check) in zip(5...7, newest) {
                #expect(check.contains("\"reason\": \"N\(number)\""), "\(check)")
            }
        }
    }
}
