import Deliveries
import Payments
import PostgresStore
import StoreConformance
import Timers
import Uploads

/// What the conformance suite needs of a watch's table besides the contract.
protocol TableUnderTest: WatchTable {
    static var statuses: StatusWords { get }
    static var laneColumn: String { get }
    /// Parameters: id, lane, claim_count, next_check_at from now.
    static var insertion: String { get }
    /// A change that sets only the status.
    static func change(status: String) -> Change
    /// Breaks a constraint, after `refusalPreparation` ran with the row's id.
    static var refusedChange: Change { get }
    static var refusalPreparation: String? { get }
}

extension OrderTable: TableUnderTest {
    static let statuses = StatusWords.orders
    static let laneColumn = "gateway"

    static let insertion = """
        INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, claim_count, next_check_at)
        VALUES ($1, $2, 100, 'EUR', $3, now() + $4)
        """

    static func change(status: String) -> OrderChange { OrderChange(status: status) }

    /// The transaction of another order.
    static let refusedChange = OrderChange(status: "paid", gatewayTxnID: "held")

    static let refusalPreparation: String? = """
        INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, status, next_check_at, gateway_txn_id)
        SELECT 'holder-' || gateway, gateway, 1, 'EUR', 'paid', NULL, 'held'
        FROM reconciled.orders WHERE id = $1
        """
}

extension UploadTable: TableUnderTest {
    static let statuses = StatusWords(
        waiting: "receiving", settled: "complete", withdrawn: "expired", closed: "review")
    static let laneColumn = "store"

    static let insertion = """
        INSERT INTO reconciled.uploads (
            id, store, name, total_bytes, chunk_bytes, chunk_count, claim_count, next_check_at
        )
        VALUES ($1, $2, $1 || '.bin', 10, 4, 3, $3, now() + $4)
        """

    static func change(status: String) -> UploadChange { UploadChange(status: status) }

    static let refusedChange = UploadChange(status: "complete", receivedChunks: -1)

    static let refusalPreparation: String? = nil
}

extension TimerTable: TableUnderTest {
    /// An application that pauses a timer puts it to rest, by the table's trigger: not what the rules are about.
    static let statuses = StatusWords(waiting: "active", settled: "finished", withdrawn: "review", closed: "paused")
    static let laneColumn = "lane"

    static let insertion = """
        INSERT INTO reconciled.timers (id, lane, every, url, claim_count, next_check_at)
        VALUES ($1, $2, '1 hour', 'http://127.0.0.1:9/', $3, now() + $4)
        """

    static func change(status: String) -> TimerChange { TimerChange(status: status) }

    static let refusedChange = TimerChange(status: "nonsense")

    static let refusalPreparation: String? = nil
}

extension DeliveryTable: TableUnderTest {
    /// Deliveries have three statuses; no rule writes the fourth.
    static let statuses = StatusWords(waiting: "pending", settled: "delivered", withdrawn: "review", closed: "none")
    static let laneColumn = "endpoint"

    static let insertion = """
        INSERT INTO reconciled.deliveries (
            id, endpoint, event_id, event_type, subject, payload, claim_count, next_check_at
        )
        VALUES ($1::text::bigint, $2, 'evt_' || $1, 'order.paid', 'orders/' || $1, '{}', $3, now() + $4)
        """

    static func change(status: String) -> DeliveryChange { DeliveryChange(status: status) }

    static let refusedChange = DeliveryChange(status: "nonsense")

    static let refusalPreparation: String? = nil
}
