import Crypto
import Foundation
import Glibc
import NIOPosix

/// The clients of the demo's uploads: write chunks as real ones do, on threads that may wait for a disk.
struct DemoClient: Sendable {
    /// Below it `files` and `videos`, each with `chunks` and `target`.
    let directory: URL
    /// The store numbers its chunks from here.
    static let firstIndex = 1

    func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await NIOThreadPool.singleton.runIfActive(body)
    }

    /// The section of the configuration.
    var stores: String {
        ["files", "videos"].map { store in
            """
              \(store):
                kind: directory
                chunks: "\(root(store, "chunks").path)"
                target: "\(root(store, "target").path)"
                layout: \(store == "videos" ? "offset" : "chunks")
                pattern: "{id}/{index}"
                firstIndex: \(Self.firstIndex)
                minFreeBytes: 1MiB
                quiescence: 200ms
                expireAfter: 3s
                reclaimAfter: 1s
                cadence: [200ms, 500ms, 1s]

            """
        }.joined()
    }

    private func root(_ store: String, _ kind: String) -> URL { directory.appending(path: "\(store)/\(kind)") }

    private func chunks(_ upload: DemoUpload) -> URL { root(upload.store, "chunks").appending(path: upload.id) }

    private func target(_ upload: DemoUpload) -> URL { root(upload.store, "target").appending(path: upload.name) }

    func makeRoots() throws {
        for store in ["files", "videos"] {
            for kind in ["chunks", "target"] {
                try FileManager.default.createDirectory(at: root(store, kind), withIntermediateDirectories: true)
            }
        }
    }

    /// Writes what is there before anyone looks.
    func begin(_ upload: DemoUpload) throws {
        if upload.scenario == .targetEqual || upload.scenario == .targetDifferent {
            let content = upload.scenario == .targetEqual ? upload.content : upload.other
            try Data(content.bytes(at: 0, count: content.totalBytes)).write(to: target(upload))
        }
        for index in 0..<upload.plan.count where upload.isThereFromTheStart(index) { try send(index, of: upload) }
    }

    /// - Parameter index: from 0.
    func send(_ index: Int, of upload: DemoUpload) throws {
        let folder = chunks(upload)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let offset = upload.plan.offset(of: index)
        let bytes = Data(upload.content.bytes(at: offset, count: upload.plan.bytes(at: index)))
        let chunk = folder.appending(path: "\(index + Self.firstIndex)")
        guard upload.isOffset else { return try bytes.write(to: chunk) }
        let data = folder.appending(path: "data")
        if !FileManager.default.fileExists(atPath: data.path) { try Data().write(to: data) }
        let file = try FileHandle(forUpdating: data)
        defer { try? file.close() }
        try file.seek(toOffset: UInt64(offset))
        try file.write(contentsOf: bytes)
        // The marker says that the bytes are there.
        try Data().write(to: chunk)
    }

    /// What is not as it must be on the disk; nil: everything is.
    func problem(with upload: DemoUpload) throws -> String? {
        let target = target(upload)
        let isThere = FileManager.default.fileExists(atPath: target.path)
        if let expected = upload.expectedContent {
            guard isThere else { return "there is no file" }
            guard try Self.sha256(of: target) == expected.sha256 else { return "the file's bytes are not the upload's" }
        } else if isThere {
            return "there is a file that must not be"
        }
        let hasChunks = FileManager.default.fileExists(atPath: chunks(upload).path)
        if upload.expectedStatus == "review" { return hasChunks ? nil : "the chunks are gone" }
        return hasChunks ? "the chunks are still there" : nil
    }

    private static func sha256(of file: URL) throws -> String {
        let handle = try FileHandle(forReadingFrom: file)
        defer { try? handle.close() }
        var hasher = SHA256()
        while let piece = try handle.read(upToCount: 1 << 20), !piece.isEmpty { hasher.update(data: piece) }
        return DemoContent.hex(hasher.finalize())
    }
}
