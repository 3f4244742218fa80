import StoreConformance
import TestSupport
import Testing

@Suite struct PostgresStoreConformanceTests {
    @Test(arguments: StoreConformance<PostgresHarness>.rules)
    func holds(rule: StoreConformance<PostgresHarness>.Rule) async throws {
        try await withTestDatabase { database in
            let harness = PostgresHarness(database: database)
            do {
                try await rule.check(harness)
            } catch {
                await harness.close()
                throw error
            }
            await harness.close()
        }
    }
}
