import Foundation
import Glibc
import Subprocess
import SystemPackage
import Timeline
import Uploads

/// The files that are merged and looked at, in a folder of their own.
struct UploadFiles {
    // The stores' names.
    static let chunks = "bench-chunks"
    static let offset = "bench-offset"
    static let sessions = "bench-sessions"

    static let sessionChunkBytes: Int64 = 1_024

    let chunkCount: Int
    let chunkMebibytes: Int
    private let root: URL

    var chunkBytes: Int64 { Int64(chunkMebibytes) << 20 }

    init(in folder: URL, chunkCount: Int, chunkMebibytes: Int) throws {
        self.chunkCount = chunkCount
        self.chunkMebibytes = chunkMebibytes
        root = folder.appending(path: "reconciled-bench-\(UUID().uuidString)")
        for name in ["set", "sessions", "offset", "files"] {
            try FileManager.default.createDirectory(
                at: root.appending(path: name), withIntermediateDirectories: true)
        }
    }

    func remove() {
        // A temporary folder left behind harms nobody.
        try? FileManager.default.removeItem(at: root)
    }

    /// All merges read the same chunks.
    var stores: [(String, StoreConfiguration.Directory)] {
        func store(_ folder: String, _ pattern: String, _ layout: StoreConfiguration.Directory.Layout = .chunks)
            -> StoreConfiguration.Directory
        {
            StoreConfiguration.Directory(
                chunks: root.appending(path: folder).path, target: root.appending(path: "files").path, layout: layout,
                pattern: pattern, minFreeBytes: 0)
        }
        return [
            (Self.chunks, store("set", "{index}")), (Self.offset, store("offset", "{id}/{index}", .offset)),
            (Self.sessions, store("sessions", "{id}/{index}")),
        ]
    }

    /// Writes the chunks, of random bytes; returns the digest of the whole. What is read from now on is in memory.
    func prepare() async throws -> String {
        let source = try FileHandle(forReadingFrom: URL(filePath: "/dev/urandom"))
        for index in 0..<chunkCount {
            let file = chunk(index)
            try Data().write(to: URL(filePath: file))
            let handle = try FileHandle(forWritingTo: URL(filePath: file))
            for _ in 0..<chunkMebibytes { try handle.write(contentsOf: source.read(upToCount: 1 << 20) ?? Data()) }
            try handle.close()
        }
        try source.close()
        let output = try await run(#"cat "$@" > "$0" && sha256sum "$0""#, chunks: chunkCount, to: copy)
        try FileManager.default.removeItem(atPath: copy)
        return String(output.prefix(64))
    }

    /// Seconds that a shell takes to make one file of the chunks.
    func shell(hashing: Bool, durable: Bool) async throws -> Double {
        let script = [#"cat "$@" > "$0""#] + (durable ? [#"sync -d "$0""#] : []) + (hashing ? [#"sha256sum "$0""#] : [])
        try await warm()
        let start = Moment.now
        _ = try await run(script.joined(separator: " && "), chunks: chunkCount, to: copy)
        let seconds = (Moment.now - start).inSeconds
        try FileManager.default.removeItem(atPath: copy)
        return seconds
    }

    /// Has all that are measured begin alike: nothing waits to be written, and the memory that a file's pages go to was
    /// just used. A machine that gave it back to its host in between is many times slower, whoever comes next.
    func warm() async throws {
        _ = try await run(#"cat "$@" > "$0""#, chunks: chunkCount, to: copy)
        try FileManager.default.removeItem(atPath: copy)
        sync()
    }

    /// A session of an `offset` layout with all its markers, on the disk already.
    func makeOffset(_ id: String, chunks: Int) async throws {
        let folder = root.appending(path: "offset/\(id)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for index in 0..<chunks {
            try Data().write(to: folder.appending(path: "\(index)"))
        }
        _ = try await run(#"cat "$@" > "$0""#, chunks: chunks, to: folder.appending(path: "data").path)
    }

    func makeSession(_ id: String, chunks: Int) throws {
        let folder = root.appending(path: "sessions/\(id)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        let content = Data(count: Int(Self.sessionChunkBytes))
        for index in 0..<chunks { try content.write(to: folder.appending(path: "\(index)")) }
    }

    /// Removes a file that was merged, if it is one.
    func removeTarget(_ id: String, bytes: Int64) throws {
        let path = root.appending(path: "files/\(id)").path
        let file = try FileHandle(forReadingFrom: URL(filePath: path))
        let size = try file.seekToEnd()
        try file.close()
        guard size == UInt64(bytes) else {
            throw Bench.Failure(description: "the merged file \(id) is not of \(bytes) bytes")
        }
        try FileManager.default.removeItem(atPath: path)
    }

    private var copy: String { root.appending(path: "copy").path }

    private func chunk(_ index: Int) -> String { root.appending(path: "set/\(index)").path }

    /// `$0` is the file, `$@` are the first chunks in order.
    private func run(_ script: String, chunks: Int, to file: String) async throws -> String {
        let record = try await Subprocess.run(
            .path("/bin/sh"), arguments: Arguments(["-c", script, file] + (0..<chunks).map(chunk)),
            output: .string(limit: 1 << 16), error: .string(limit: 1 << 16))
        guard record.terminationStatus.isSuccess else {
            throw Bench.Failure(description: "sh failed: \(record.standardError)")
        }
        return record.standardOutput
    }
}
