import Foundation
import Glibc
import Postgres
import PostgresStore
import Reconciling
import Timeline
import Uploads

extension Bench {
    /// Merges beside what a shell does with the same chunks, and looks at sessions that are not whole yet.
    struct Uploads: Codable {
        var chunks: Int
        var chunkMebibytes: Int
        var withoutDigest: Merge
        var withDigest: Merge
        /// The most while files were merged, above what the idle poller held.
        var memoryMegabytesAboveIdle: Double
        var offset: Offset
        var sessions: Sessions
    }

    /// Medians, in seconds, from the row's insert until it is complete.
    struct Merge: Codable {
        /// `cat chunks > file`, and `sha256sum file` where a digest is known: it leaves the file in the page cache.
        var shell: Double
        /// The same with `sync -d file` behind it, so that the file survives what a merged one does.
        var shellDurable: Double
        var merge: Double
        var ratio: Double
        var ratioToDurable: Double

        fileprivate init(_ samples: [Samples]) {
            shell = Bench.median(samples.map(\.shell))
            shellDurable = Bench.median(samples.map(\.shellDurable))
            merge = Bench.median(samples.map(\.merge))
            // Of the same minute: a machine that is shared is not as fast in each of them.
            ratio = Bench.median(samples.map { $0.shell / $0.merge })
            ratioToDurable = Bench.median(samples.map { $0.shellDurable / $0.merge })
        }
    }

    /// The `offset` layout without a digest, where no byte is copied: medians, in seconds.
    struct Offset: Codable {
        var smallMebibytes: Int
        var small: Double
        var largeMebibytes: Int
        var large: Double
    }

    /// One check of each session, half of whose chunks are there.
    struct Sessions: Codable {
        var count: Int
        /// Of this process: the database's are not in it.
        var cpuSeconds: Double
        var seconds: Double
    }

    fileprivate struct Samples {
        var shell: Double
        var shellDurable: Double
        var merge: Double
    }

    private static let chunkCount = 64
    private static let repeats = 5
    private static let sessionChunkCount = 8

    /// - Parameters:
    ///   - folder: takes three times the size of the chunks; warm caches are assumed, so it should fit into memory.
    ///   - sessions: how many to look at.
    func uploads(in folder: URL, chunkMebibytes: Int, sessions: Int) async throws -> Uploads {
        let files = try UploadFiles(in: folder, chunkCount: Self.chunkCount, chunkMebibytes: chunkMebibytes)
        defer { files.remove() }
        try await withPool { pool in try await empty(pool) }
        let digest = try await files.prepare()
        let observer = BenchObserver()
        var result: Uploads?
        try await withUploadPollers(files, observer) { pool in
            let insert = MergeInsert(pool: pool, observer: observer, files: files)
            // The first of everything is slower than the rest.
            _ = try await insert.merge("warm", digest: digest)
            let idle = try ProcessUsage.megabytes("VmRSS")
            try ProcessUsage.resetPeak()
            let (plain, hashed) = try await compare(insert, digest: digest)
            let peak = try ProcessUsage.megabytes("VmHWM")
            let offset = try await offsets(insert)
            result = Uploads(
                chunks: Self.chunkCount, chunkMebibytes: chunkMebibytes, withoutDigest: plain, withDigest: hashed,
                memoryMegabytesAboveIdle: max(0, peak - idle), offset: offset,
                sessions: try await look(pool, observer, files, sessions))
        }
        guard let result else { throw Failure(description: "the uploads were not measured") }
        return result
    }

    private func compare(_ insert: MergeInsert, digest: String) async throws -> (plain: Merge, hashed: Merge) {
        var samples: (plain: [Samples], hashed: [Samples]) = ([], [])
        for number in 0..<Self.repeats {
            for isHashed in [false, true] {
                let sample = Samples(
                    shell: try await insert.files.shell(hashing: isHashed, durable: false),
                    shellDurable: try await insert.files.shell(hashing: isHashed, durable: true),
                    merge: try await insert.merge(
                        "\(isHashed ? "hashed" : "plain")-\(number)", digest: isHashed ? digest : nil))
                if isHashed { samples.hashed.append(sample) } else { samples.plain.append(sample) }
            }
        }
        return (Merge(samples.plain), Merge(samples.hashed))
    }

    private func offsets(_ insert: MergeInsert) async throws -> Offset {
        let smallCount = max(1, Self.chunkCount / 16)
        var seconds: (small: [Double], large: [Double]) = ([], [])
        for number in 0..<Self.repeats {
            seconds.small.append(try await insert.mergeOffset("small-\(number)", chunks: smallCount))
            seconds.large.append(try await insert.mergeOffset("large-\(number)", chunks: Self.chunkCount))
        }
        return Offset(
            smallMebibytes: smallCount * insert.files.chunkMebibytes, small: Self.median(seconds.small),
            largeMebibytes: Self.chunkCount * insert.files.chunkMebibytes, large: Self.median(seconds.large))
    }

    private func look(
        _ pool: PostgresPool, _ observer: BenchObserver, _ files: UploadFiles, _ count: Int
    ) async throws -> Sessions {
        let upload = UploadRows(
            prefix: "session-", store: UploadFiles.sessions, count: count, chunkBytes: UploadFiles.sessionChunkBytes,
            chunkCount: Self.sessionChunkCount)
        for id in upload.ids { try files.makeSession(id, chunks: Self.sessionChunkCount / 2) }
        let settled = observer.snapshot.settled
        let (start, cpu) = (Moment.now, ProcessUsage.cpuSeconds)
        try await upload.insert(pool)
        try await Self.poll(for: .seconds(600), "the sessions") { observer.snapshot.settled >= settled + count }
        return Sessions(
            count: count, cpuSeconds: ProcessUsage.cpuSeconds - cpu, seconds: (Moment.now - start).inSeconds)
    }

    private func withUploadPollers(
        _ files: UploadFiles, _ observer: BenchObserver, _ body: (PostgresPool) async throws -> Void
    ) async throws {
        // Nobody sends chunks meanwhile, and nothing is looked at twice.
        let policy = UploadPolicy(quiescence: .zero, reclaimAfter: .seconds(86_400), cadence: [.seconds(86_400)])
        let stores = files.stores.map { name, store in
            StoreConfiguration(name: name, kind: .directory(store), policy: policy)
        }
        let lanes = files.stores.map { name, store in
            (name, UploadLane(store: DirectoryStore(store), policy: policy))
        }
        try await withPollers(
            UploadTable.self, UploadReconciler(lanes: Dictionary(uniqueKeysWithValues: lanes)),
            lanes: stores.map(\.lane), observers: [observer], body)
    }

    static func median(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values.sorted()[values.count / 2]
    }
}

/// Rows of sessions that are due at once.
private struct UploadRows {
    var prefix: String
    var store: String
    var count = 1
    var chunkBytes: Int64
    var chunkCount: Int
    var digest: String?

    /// As the statement makes them.
    var ids: [String] { (0..<count).map { "\(Bench.idPrefix)\(prefix)\($0)" } }

    func insert(_ pool: PostgresPool) async throws {
        let parameters: [PostgresParameter] = [
            .text(Bench.idPrefix + prefix), .text(store), .int4(Int32(clamping: count)), .int8(chunkBytes),
            .int4(Int32(clamping: chunkCount)), .text(digest),
        ]
        try await pool.execute(PostgresQuery(.sql("bench_uploads"), parameters), deadline: .seconds(600))
    }
}

/// Has the poller merge one upload after the other.
private struct MergeInsert {
    let pool: PostgresPool
    let observer: BenchObserver
    let files: UploadFiles

    /// Seconds until the upload is complete.
    func merge(_ name: String, digest: String?) async throws -> Double {
        try await measure(
            UploadRows(
                prefix: "\(name)-", store: UploadFiles.chunks, chunkBytes: files.chunkBytes,
                chunkCount: files.chunkCount, digest: digest))
    }

    func mergeOffset(_ name: String, chunks: Int) async throws -> Double {
        let rows = UploadRows(
            prefix: "\(name)-", store: UploadFiles.offset, chunkBytes: files.chunkBytes, chunkCount: chunks)
        for id in rows.ids { try await files.makeOffset(id, chunks: chunks) }
        return try await measure(rows)
    }

    private func measure(_ rows: UploadRows) async throws -> Double {
        try await files.warm()
        let start = Moment.now
        try await rows.insert(pool)
        while true {
            let settled = observer.snapshot.settled
            if try await isComplete(rows) { break }
            try await Bench.poll(for: .seconds(600), "the merge") { observer.snapshot.settled > settled }
        }
        let seconds = (Moment.now - start).inSeconds
        for id in rows.ids { try files.removeTarget(id, bytes: rows.chunkBytes * Int64(rows.chunkCount)) }
        return seconds
    }

    private func isComplete(_ rows: UploadRows) async throws -> Bool {
        let query = PostgresQuery(.sql("bench_upload_status"), [.text(rows.ids[0])])
        let status = try await pool.query(query) { rows in try rows.first { row in try row.read(String.self) } }
        switch status {
        case "complete": return true
        case "receiving", "merging": return false
        default: throw Bench.Failure(description: "the upload \(rows.ids[0]) came to \(status ?? "nothing")")
        }
    }
}
