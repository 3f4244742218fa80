import Crypto
import Foundation
import JSON
import Synchronization
import Timeline

@testable import Uploads

/// A directory store with real files in a directory of its own.
final class DirectoryScene: Sendable {
    let base: URL
    let configuration: StoreConfiguration.Directory
    let notes = Mutex<[(bytes: Int64, state: JSONValue)]>([])

    init(
        pattern: String = "{id}/{index}", firstIndex: Int = 0, layout: StoreConfiguration.Directory.Layout = .chunks,
        minFreeBytes: Int64 = 0, base: URL? = nil
    ) throws {
        self.base =
            base ?? FileManager.default.temporaryDirectory.appending(path: "reconciled-uploads-\(UUID().uuidString)")
        configuration = .init(
            chunks: self.base.appending(path: "chunks").path, target: self.base.appending(path: "files").path,
            layout: layout, pattern: pattern, firstIndex: firstIndex, minFreeBytes: minFreeBytes)
        for path in [configuration.chunks, configuration.target] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
    }

    deinit { try? FileManager.default.removeItem(at: base) }

    /// How much was noted, checkpoint by checkpoint.
    var checkpoints: [Int64] { notes.withLock { $0.map(\.bytes) } }

    var store: DirectoryStore { DirectoryStore(configuration) }

    func upload(
        _ content: [UInt8], chunkBytes: Int64, id: String = "s1", name: String = "file.bin", count: Int? = nil,
        sha256: String? = nil
    ) -> Upload {
        let total = Int64(content.count)
        return Upload(
            id: id, store: "local", name: name, totalBytes: total, chunkBytes: chunkBytes,
            chunkCount: count ?? Int((total + chunkBytes - 1) / chunkBytes), sha256: sha256,
            createdAt: Timestamp(microseconds: 0))
    }

    /// Writes the chunks that `indices` names; all by default.
    func send(_ upload: Upload, _ content: [UInt8], only indices: Set<Int>? = nil) throws {
        let naming = try ChunkNaming(upload, pattern: configuration.pattern, firstIndex: configuration.firstIndex)
        let plan = try present(upload.plan)
        let directory = naming.path.reduce(URL(filePath: configuration.chunks)) { $0.appending(path: $1) }
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        if configuration.layout == .offset {
            try Data(content).write(to: directory.appending(path: naming.dataName))
        }
        for index in 0..<plan.count where indices?.contains(index) ?? true {
            let start = Int(plan.offset(of: index))
            let piece = content[start..<start + Int(plan.bytes(at: index))]
            try Data(configuration.layout == .offset ? [] : Array(piece))
                .write(to: directory.appending(path: naming.fileName(index)))
        }
    }

    /// A call's work; checkpoints go to `notes`.
    func work(
        token: Int64 = 1, state: JSONValue? = nil, lease: @escaping @Sendable () -> Duration = { .seconds(60) },
        deadline: Moment = .now + .seconds(60), onCheckpoint: @escaping @Sendable (Int64) -> Bool = { _ in true }
    ) -> StoreWork {
        StoreWork(
            token: token, deadline: deadline, now: { Timestamp(microseconds: 1_000_000) },
            leaseRemaining: lease, state: state,
            checkpoint: { [self] bytes, state in
                guard onCheckpoint(bytes) else { return false }
                notes.withLock { $0.append((bytes, state)) }
                return true
            })
    }

    func merge(_ upload: Upload, token: Int64 = 1, state: JSONValue? = nil) async throws -> MergeOutcome {
        await store.merge(upload, plan: try present(upload.plan), work: work(token: token, state: state))
    }

    /// Merges, and throws what came of it where that is no published file.
    func publish(_ upload: Upload, token: Int64 = 1, state: JSONValue? = nil) async throws {
        let outcome = try await merge(upload, token: token, state: state)
        guard case .published = outcome else { throw NotPublished(outcome: outcome) }
    }

    struct NotPublished: Error {
        var outcome: MergeOutcome
    }

    func inspect(_ upload: Upload) async throws -> Inventory {
        try await store.inspect(upload, plan: try present(upload.plan), work: work()).get()
    }

    func chunk(_ path: String) -> URL { URL(filePath: configuration.chunks).appending(path: path) }

    func target(_ name: String = "file.bin") -> URL { URL(filePath: configuration.target).appending(path: name) }

    func published(_ name: String = "file.bin") -> [UInt8]? { (try? Data(contentsOf: target(name))).map(Array.init) }

    /// Everything below the target's root but ours.
    var visible: [String] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: configuration.target)) ?? []
        return all.filter { !$0.hasPrefix(".reconciled") }
    }

    var parts: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: configuration.target + "/.reconciled/parts")) ?? []
    }

    /// The file system's clock may tick in steps of some milliseconds.
    func aTickPasses() throws {
        let (probe, first) = (base.appending(path: "probe"), base.appending(path: "first"))
        try Data().write(to: first)
        var (before, after) = (stat(), stat())
        guard unsafe stat(first.path, &before) == 0 else { throw Missing() }
        repeat {
            try Data().write(to: probe)
            guard unsafe stat(probe.path, &after) == 0 else { throw Missing() }
        } while after.st_ctim.tv_sec == before.st_ctim.tv_sec && after.st_ctim.tv_nsec == before.st_ctim.tv_nsec
    }

    static func content(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var state = seed
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
    }

    static func digest(_ content: [UInt8]) -> String { SHA256.hash(data: content).hexadecimal }
}

private struct Missing: Error {}

private func present<T>(_ value: T?) throws -> T {
    guard let value else { throw Missing() }
    return value
}
