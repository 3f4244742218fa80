import Console
import JSON
import Outgoing
import Postgres
import PostgresStore
import Reconciling
import Uploads

/// Uploads, whose lanes are the stores.
struct UploadsWatch: ServedWatch {
    typealias Table = UploadTable

    static let noun = "upload"
    static let laneNoun = "store"
    static let waitingStatus = "receiving or merging"
    static let decisions = ["receiving", "complete", "expired"]

    let settings: WatchConfiguration
    private var stores: [StoreConfiguration]

    init(_ configuration: Configuration) {
        settings = configuration.watches.uploads
        stores = configuration.stores
    }

    var lanes: [LaneConfiguration] { stores.map(\.lane) }

    func reconciler(_ outside: OutsideWorld) -> UploadReconciler {
        UploadReconciler(
            lanes: Dictionary(
                uniqueKeysWithValues: stores.map { configuration in
                    (
                        configuration.name,
                        UploadLane(store: configuration.chunkStore(http: outside.http), policy: configuration.policy)
                    )
                }))
    }

    func dryRunning() -> UploadsWatch {
        var watch = self
        for index in watch.stores.indices { watch.stores[index].policy.isDryRun = true }
        return watch
    }

    func isDryRunning(_ lane: String) -> Bool { stores.first { $0.name == lane }?.policy.isDryRun ?? false }

    // MARK: metrics

    private static let reclaimed = "reconciled_reclaimed_bytes_total"
    private static let reclaimedHelp = "Bytes of chunks that were freed."

    func announce(in registry: MetricsRegistry) {
        for lane in lanes {
            registry.counter(Self.reclaimed, help: Self.reclaimedHelp, labels: [("lane", lane.name)]).increment(by: 0)
        }
    }

    func count(_ settlement: Settlement<String, UploadChange>, in registry: MetricsRegistry) {
        guard let bytes = settlement.change?.reclaimedBytes, bytes > 0 else { return }
        registry.counter(Self.reclaimed, help: Self.reclaimedHelp, labels: [("lane", settlement.held.lane)])
            .increment(by: Double(bytes))
    }

    // MARK: rows

    static let columns: [TextTable.Column] = [
        .init("ID"), .init("STORE"), .init("NAME"), .init("STATUS"), .init("CHUNKS", .right), .init("MERGED", .right),
        .init("MISSING"), .init("NEXT CHECK"), .init("WHY"),
    ]

    static func cells(of row: RowText) -> [String?] {
        [
            row["id"], row["store"], row["name"], row["status"],
            "\(row["received_chunks"] ?? "0")/\(row["chunk_count"] ?? "?")", merged(row),
            row["missing"].map { String($0.prefix(24)) }, row.time("next_check_at") ?? "at rest",
            row["review_reason"] ?? row["last_error"],
        ]
    }

    static func note(on column: String, of row: RowText) -> String? { column == "merged_bytes" ? merged(row) : nil }

    /// `45 %`; of the bytes that the target has so far.
    private static func merged(_ row: RowText) -> String? {
        if row["status"] == "complete" { return "100 %" }
        guard let merged = row["merged_bytes"].flatMap(Int64.init), let total = row["total_bytes"].flatMap(Int64.init),
            merged > 0, total > 0
        else { return nil }
        return "\(Int(Double(merged) / Double(total) * 100)) %"
    }

    static func validate(_ json: JSONValue) throws(InputError) -> String { try UploadInput(json: json).id }

    func resolution(_ decision: Decision, lane: String?) -> UploadPolicy {
        stores.first { $0.name == lane }?.policy ?? UploadPolicy()
    }

    static func conflict(with decision: Decision?) -> String {
        "another upload whose chunks are not reclaimed has that name in its store"
    }

    static func reviewReason(after change: UploadChange) -> String? { change.reviewReason }

    static func effect(of would: JSONValue) -> String? { would["action"]?.string }

    // MARK: state

    func digest(_ pool: PostgresPool) async throws -> WatchDigest? {
        let reclaimed = try await WatchOverview<UploadTable>(pool: pool).reclaimed()
        guard !reclaimed.isEmpty else { return nil }
        let text = reclaimed.map { "\($0.lane): \($0.bytes) bytes reclaimed\n" }.joined()
        let members = reclaimed.map { "\(JSONText.quoted($0.lane)):\($0.bytes)" }.joined(separator: ",")
        return WatchDigest(text: text, members: [(name: "reclaimed_bytes", json: "{\(members)}")])
    }
}
