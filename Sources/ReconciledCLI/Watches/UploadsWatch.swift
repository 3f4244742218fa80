import Console
import JSON
import Outgoing
import Postgres
import PostgresStore
import Reconciling
import Timeline
import Uploads

/// Uploads, whose lanes are the stores.
struct UploadsWatch: ServedWatch {
    typealias Table = UploadTable

    static let noun = "upload"
    static let laneNoun = "store"
    static let waitingStatus = "receiving or merging"
    static let statuses = ["receiving", "merging", "complete", "expired", "review"]
    static let decisions = ["receiving", "complete", "expired"]
    static let decisionsHelp = """
        receiving begins anew, gives the session its time again, and brings back what the trash still has of its chunks. \
        complete takes your word that the file is there; expired gives the session up. Both have the chunks reclaimed that \
        are still there.
        """

    let settings: WatchConfiguration
    private let foreignLanes: ForeignLanes
    private var stores: [StoreConfiguration]

    init(_ configuration: Configuration) {
        settings = configuration.watches.uploads
        stores = configuration.stores
        foreignLanes = ForeignLanes(configuration, besidesEach: Self.laneNoun)
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
        .init("ID"), .init("STORE"), .init("NAME"), .init("STATUS"), .init("PROGRESS", .right), .init("MISSING"),
        .init("LATE", .right), .init("NEXT CHECK"), .init("WHY"),
    ]

    static func cells(of row: RowText) -> [String?] {
        [
            row["id"], row["store"], row["name"], row["status"], progress(of: row), missing(of: row), row.late,
            row.time("next_check_at") ?? "at rest", row["review_reason"] ?? row["last_error"],
        ]
    }

    /// How far it is: chunks that are there, or of the target what is written.
    static func progress(of row: RowText) -> String? {
        switch row["status"] {
        case "complete": return "100 %"
        case "merging": return merged(row)
        default: return "\(row["received_chunks"] ?? "0")/\(row["chunk_count"] ?? "?")"
        }
    }

    private static let missingMax = 24

    private static func missing(of row: RowText) -> String? {
        guard let missing = row["missing"], !missing.isEmpty else { return nil }
        return missing.count > missingMax ? missing.prefix(missingMax - 1) + "…" : missing
    }

    static func note(on column: String, of row: RowText) -> String? {
        switch column {
        case "total_bytes", "chunk_bytes", "reclaimed_bytes": row[column].flatMap(Int64.init).map(ByteText.text)
        case "merged_bytes": merged(row)
        default: nil
        }
    }

    private static func merged(_ row: RowText) -> String? {
        guard let merged = row["merged_bytes"].flatMap(Int64.init), let total = row["total_bytes"].flatMap(Int64.init)
        else { return nil }
        return ByteText.share(merged, of: total)
    }

    static var inputSchema: String? { UploadInput.schema }

    func validate(_ json: JSONValue) throws(InputError) -> String {
        let input = try UploadInput(json: json)
        try foreignLanes.check(input.store)
        return input.id
    }

    func resolution(_ decision: Decision, lane: String?) -> UploadPolicy {
        stores.first { $0.name == lane }?.policy ?? UploadPolicy()
    }

    static func conflict(with decision: Decision?) -> String {
        "another upload whose chunks are not reclaimed has that name in its store"
    }

    static func reviewReason(after change: UploadChange) -> String? { change.reviewReason }

    static func effect(of would: JSONValue) -> String? {
        switch would["action"]?.string {
        case "merge": "merge the chunks"
        case "reclaim": "free the chunks"
        case "discard": "put the chunks out of the way"
        case "restore": "bring back the chunks that were put out of the way"
        case "purge": "free what was put out of the way"
        default: nil
        }
    }

    // MARK: state

    /// Merges that `status` shows at most.
    private static let mergingMax = 20

    func digest(_ pool: PostgresPool) async throws -> WatchDigest? {
        let overview = WatchOverview<UploadTable>(pool: pool)
        let reclaimed = try await overview.reclaimed(lanes: lanes.map(\.name))
        let merging = try await overview.merging(lanes: lanes.map(\.name), limit: Self.mergingMax)
            .map { RowText(try JSONValue(row: $0)) }
        var text = merging.map { row in
            "merging \(TerminalText.printable(row["id"] ?? "")): \(Self.merged(row) ?? "–")"
                + " of \(row["total_bytes"].flatMap(Int64.init).map(ByteText.text) ?? "–")\n"
        }.joined()
        text += reclaimed.map { lane in
            let uploads = CountWords.text(RowCount(lane.uploads.count), Self.noun)
            let which = lane.uploads.precision == .exact ? "\(uploads) reclaimed" : "the \(uploads) reclaimed last"
            return "\(TerminalText.printable(lane.lane)): \(ByteText.text(lane.bytes)) of \(which)\n"
        }.joined()
        let lanes = reclaimed.map { "\(JSONText.quoted($0.lane)):\($0.bytes)" }.joined(separator: ",")
        let merges = merging.map { row in
            JSONText.object([
                "id": JSONText.quoted(row["id"]), "store": JSONText.quoted(row["store"]),
                "merged_bytes": row["merged_bytes"] ?? "null", "total_bytes": row["total_bytes"] ?? "null",
            ])
        }
        let reclaims = reclaimed.map { lane in
            JSONText.object([
                "store": JSONText.quoted(lane.lane), "uploads": "\(lane.uploads.count)", "bytes": "\(lane.bytes)",
                "precision": JSONText.quoted(lane.uploads.precision.rawValue),
            ])
        }
        return WatchDigest(
            text: text,
            members: [
                (name: "merging", json: JSONText.array(merges)), (name: "reclaimed", json: JSONText.array(reclaims)),
                (name: "reclaimed_bytes", json: "{\(lanes)}"),
            ])
    }

    func examineLanes(_ outside: OutsideWorld) async -> [DoctorFinding] {
        var findings: [DoctorFinding] = []
        for store in stores {
            findings += await store.examine(http: outside.http, at: Timestamp.wallClock).map {
                DoctorFinding(kind: $0.kind, watch: name, lane: store.name, detail: $0.detail)
            }
        }
        return findings
    }
}
