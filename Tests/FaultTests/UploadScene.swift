import Crypto
import Foundation
import Postgres
import Synchronization
import TestSupport
import Testing

/// A database, a store of two directories, sessions whose chunks are all there, and as many pollers as the test starts.
final class UploadScene: Sendable {
    private let database: TestDatabase
    private let folder: URL
    /// A mebibyte of noise; every mebibyte of every upload is this one under a number of its own.
    private let noise: Data

    /// All that were started.
    private let pollers = Mutex<[Program]>([])

    static let mebibyte = 1 << 20

    init(_ database: TestDatabase, folder: URL) throws {
        self.database = database
        self.folder = folder
        for name in ["chunks", "files"] {
            try FileManager.default.createDirectory(
                at: folder.appending(path: name), withIntermediateDirectories: true)
        }
        let source = try FileHandle(forReadingFrom: URL(filePath: "/dev/urandom"))
        noise = try source.read(upToCount: Self.mebibyte) ?? Data()
    }

    var chunks: URL { folder.appending(path: "chunks") }
    var files: URL { folder.appending(path: "files") }
    private var parts: URL { files.appending(path: ".reconciled/parts") }

    func chunk(_ id: String, _ index: Int) -> URL { chunks.appending(path: "\(id)/\(index)") }

    private func content(_ mebibytes: Range<Int>) -> Data {
        var content = Data(capacity: mebibytes.count * Self.mebibyte)
        for number in mebibytes {
            content.append(Data("\(number)\n".utf8))
            content.append(noise[content.count % Self.mebibyte..<Self.mebibyte])
        }
        return content
    }

    /// Adds a session that is due now; its file is `below/ID`.
    ///
    /// - Parameters:
    ///   - store: where its chunks go.
    ///   - name: another name for the file.
    func add(
        _ id: String, mebibytes: Int, chunk: Int = 8, isDigestKnown: Bool = false, store: String = "disk",
        name: String? = nil
    ) async throws {
        let chunks = folder.appending(path: store == "disk" ? "chunks/\(id)" : "\(store)/\(id)")
        try FileManager.default.createDirectory(at: chunks, withIntermediateDirectories: true)
        for (index, start) in stride(from: 0, to: mebibytes, by: chunk).enumerated() {
            try content(start..<min(start + chunk, mebibytes)).write(to: chunks.appending(path: "\(index)"))
        }
        let digest =
            isDigestKnown ? SHA256.hash(data: content(0..<mebibytes)).map { String(format: "%02x", $0) }.joined() : nil
        let insert = Statement(
            name: "",
            text: """
                INSERT INTO reconciled.uploads
                    (id, store, name, total_bytes, chunk_bytes, chunk_count, sha256, next_check_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, now())
                """)
        _ = try await database.pool.execute(
            PostgresQuery(
                insert,
                [
                    .text(id), .text(store), .text(name ?? "below/\(id)"), .int8(Int64(mebibytes * Self.mebibyte)),
                    .int8(Int64(chunk * Self.mebibyte)), .int4(Int32((mebibytes + chunk - 1) / chunk)), .text(digest),
                ]))
    }

    /// Starts `reconciled run` with short leases.
    ///
    /// - Parameters:
    ///   - faults: see `Program`.
    ///   - concurrency: how many sessions at once, and as many threads of the store: with one, a call's number in its
    ///     thread is its number in the store.
    ///   - more: further stores, as lines of the configuration.
    func startPoller(faults: [String] = [], concurrency: Int = 1, more: String = "") throws -> Program {
        let name = UUID().uuidString
        let file = folder.appending(path: "\(name).yaml")
        let text = """
            database: { url: "\(database.url)", poolSize: 3 }
            http: { host: 127.0.0.1, port: 0 }
            watches:
              uploads: { lease: 2s, poll: 100ms }
            stores:
              disk:
                kind: directory
                chunks: \(folder.path)/chunks
                target: \(files.path)
                minFreeBytes: 0
                concurrency: \(concurrency)
                quiescence: 0ms
                cadence: [100ms]
            \(more)
            """
        try text.write(to: file, atomically: true, encoding: .utf8)
        let poller = try Program(
            ["run", "--config", file.path], faults: faults, log: folder.appending(path: "\(name).log"))
        pollers.withLock { $0.append(poller) }
        return poller
    }

    /// Nothing outlives a test, however it ended.
    func end() {
        for poller in pollers.withLock({ $0 }) { poller.kill9() }
    }

    /// Stops a poller by SIGTERM; it must leave with exit code 0.
    func stop(_ poller: Program) {
        poller.send(SIGTERM)
        #expect(poller.wait() == 0, "\(poller.output)")
    }

    func execute(_ sql: String) async throws { try await database.execute(sql) }

    func count(_ sql: String) async throws -> Int64 { try await database.count(sql) }
    /// What the last checkpoint noted.
    func mergedBytes(_ id: String) async throws -> Int64 {
        try await count(
            "SELECT coalesce((progress ->> 'merged_bytes')::bigint, 0) FROM reconciled.uploads WHERE id = '\(id)'")
    }

    /// As time does, at once: whoever holds a lease has lost it.
    func lapseLeases() async throws {
        try await execute(
            "UPDATE reconciled.uploads SET lease_expires_at = now() WHERE lease_expires_at > now()")
    }

    /// Slows or breaks a poller's calls, and writes them down under that name.
    ///
    /// - Parameters:
    ///   - calls: which are written down.
    ///   - injections: what strace's `inject=` takes, each.
    func traced(_ name: String, calls: String, _ injections: String...) -> [String] {
        ["-o", trace(name), "-e", "trace=\(calls)"] + injections.flatMap { ["-e", "inject=\($0)"] }
    }

    private func trace(_ name: String) -> String { folder.appending(path: "\(name).trace").path }

    /// How many bytes the poller of that trace wrote to parts. A call under way when it was killed counts for nothing.
    func copiedBytes(_ name: String) throws -> Int64 {
        let text = try String(contentsOf: URL(filePath: trace(name)), encoding: .utf8)
        return text.split(separator: "\n").reduce(0) { sum, line in
            guard line.contains("copy_file_range") || line.contains("pwrite64"),
                let result = line.firstMatch(of: /\) += (\d+)/)
            else { return sum }
            return sum + (Int64(result.1) ?? 0)
        }
    }

    /// A column of a session, as text.
    func column(_ column: String, of id: String) async throws -> String? {
        let sql = "SELECT \(column)::text FROM reconciled.uploads WHERE id = '\(id)'"
        return try await database.pool.query(PostgresQuery(Statement(name: "", text: sql))) { rows in
            try rows.first { row in try row.readOptional(String.self) } ?? nil
        }
    }

    /// What has become of a session, for whoever waits for it in vain.
    private func state(of id: String) async throws -> String {
        let columns = "status, review_reason, claim_count, failure_count, merged_bytes, leased_by, last_error"
        return try await column("concat_ws(' ', id, \(columns))", of: id) ?? "\(id) is gone"
    }

    /// Every history entry and every session as text: what must not change once it is right.
    func ledger() async throws -> [String] {
        let sql = """
            SELECT concat_ws(' ', row_id, poller, verdict, status_before, status_after, reason) FROM reconciled.history
            UNION ALL
            SELECT concat_ws(' ', id, status, location, merged_bytes, reclaimed_at, check_count, progress)
            FROM reconciled.uploads
            ORDER BY 1
            """
        return try await database.pool.query(PostgresQuery(Statement(name: "", text: sql))) { rows in
            try rows.map { row in try row.read(String.self) }
        }
    }

    /// Waits until the session is complete, then looks whether everything about it is as it must be.
    func isMergedOnce(_ id: String, mebibytes: Int, _ why: Comment) async throws {
        do {
            try await eventually("\(id) is complete or for humans", within: .seconds(30)) {
                let status = try await self.column("status", of: id)
                return status == "complete" || status == "review"
            }
        } catch {
            let state = try await state(of: id)
            Issue.record("\(state)")
            throw error
        }
        let status = try await column("status", of: id)
        guard status == "complete" else {
            let state = try await state(of: id)
            Issue.record("\(state)")
            return
        }
        let merged = try Data(contentsOf: files.appending(path: "below/\(id)"), options: .alwaysMapped)
        #expect(merged == content(0..<mebibytes), why)
        let times = try await count(
            """
            SELECT count(*) FROM reconciled.history
            WHERE watch = 'uploads' AND row_id = '\(id)' AND status_after = 'complete'
            """)
        #expect(times == 1, why)
    }

    /// Nothing is where the files go but the files, and nothing is left of any merge.
    func holdsNothingBut(_ ids: [String]) throws {
        let manager = FileManager.default
        #expect(try manager.contentsOfDirectory(atPath: files.path).sorted() == [".reconciled", "below"])
        #expect(
            try manager.contentsOfDirectory(atPath: files.appending(path: "below").path).sorted() == ids.sorted())
        #expect(try manager.contentsOfDirectory(atPath: parts.path) == [])
        #expect(try manager.contentsOfDirectory(atPath: files.appending(path: ".reconciled").path) == ["parts"])
    }
}

func withUploadScene(_ body: (UploadScene) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "reconciled-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try await withTestDatabase { database in
        let scene = try UploadScene(database, folder: folder)
        defer { scene.end() }
        try await body(scene)
    }
}
