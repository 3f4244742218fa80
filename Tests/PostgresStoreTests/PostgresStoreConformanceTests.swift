import Deliveries
import Payments
import StoreConformance
import Testing
import Timers
import Uploads

@Suite struct PostgresStoreConformanceTests {
    @Test(arguments: StoreConformance<PostgresHarness<OrderTable>>.rules)
    func holdsForOrders(rule: StoreConformance<PostgresHarness<OrderTable>>.Rule) async throws {
        try await withHarness(OrderTable.self) { harness in try await rule.check(harness) }
    }

    @Test(arguments: StoreConformance<PostgresHarness<UploadTable>>.rules)
    func holdsForUploads(rule: StoreConformance<PostgresHarness<UploadTable>>.Rule) async throws {
        try await withHarness(UploadTable.self) { harness in try await rule.check(harness) }
    }

    @Test(arguments: StoreConformance<PostgresHarness<TimerTable>>.rules)
    func holdsForTimers(rule: StoreConformance<PostgresHarness<TimerTable>>.Rule) async throws {
        try await withHarness(TimerTable.self) { harness in try await rule.check(harness) }
    }

    @Test(arguments: StoreConformance<NumberedHarness>.rules)
    func holdsForDeliveries(rule: StoreConformance<NumberedHarness>.Rule) async throws {
        try await withHarness(DeliveryTable.self) { harness in try await rule.check(NumberedHarness(harness)) }
    }
}
