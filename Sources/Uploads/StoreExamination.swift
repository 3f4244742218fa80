import CLinux
import Glibc
import Outgoing
import Reconciling
import Timeline

/// Something about a store that keeps uploads from being finished.
public struct StoreFinding: Hashable, Sendable {
    /// `store_unusable`, `store_full`, `store_slow`.
    public var kind: String
    /// For people, with what to do; no secrets.
    public var detail: String
}

extension StoreConfiguration {
    /// A directory that does not answer within this is one that nobody can work with.
    private static let examinationLimit = Duration.seconds(10)

    /// Looks whether the store can be worked with, and changes nothing: as this user, from this machine.
    ///
    /// - Parameter now: for signatures.
    public func examine(http: OutgoingClient, at now: Timestamp) async -> [StoreFinding] {
        switch kind {
        case .directory(let directory):
            let limit = Self.examinationLimit
            let work = FileWork(on: FileThreads(count: 1), deadline: .distantFuture, stallLimit: limit)
            do {
                return try await work.run { directory.examine() }
            } catch let fault as StoreFault where fault.kind != .interrupted {
                return [StoreFinding(kind: "store_unusable", detail: "\(directory.chunks): \(fault.problem)")]
            } catch {
                return []  // interrupted
            }
        case .s3(let settings):
            guard let problem = await S3Store(settings, timeout: timeout, http: http).examine(at: now) else {
                return []
            }
            return [StoreFinding(kind: "store_unusable", detail: problem)]
        }
    }
}

extension StoreConfiguration.Directory {
    fileprivate func examine() -> [StoreFinding] {
        var findings: [StoreFinding] = []
        func look(_ key: String, _ path: String) -> OpenFile? {
            do throws(FileError) {
                let root = try openRoot(path)
                guard unsafe faccessat(root.descriptor, ".", W_OK | X_OK, 0) == 0 else { throw FileError("faccessat") }
                return root
            } catch {
                let problem = "\(key) \(path): \(error.fault("this user cannot work with it").problem)"
                findings.append(StoreFinding(kind: "store_unusable", detail: problem))
                return nil
            }
        }
        let chunksRoot = look("chunks", chunks)
        guard let targetRoot = look("target", target) else { return findings }
        if let free = try? targetRoot.freeBytes(), free < minFreeBytes {
            let detail = "target \(target): \(free) bytes are free, minFreeBytes is \(minFreeBytes): nothing is merged"
            findings.append(StoreFinding(kind: "store_full", detail: detail))
        }
        if let chunksRoot, let problem = nesting(chunksRoot, targetRoot) {
            findings.append(StoreFinding(kind: "store_unusable", detail: problem))
        }
        if layout == .offset, let chunksRoot, let from = try? chunksRoot.status(), let to = try? targetRoot.status(),
            from.device != to.device
        {
            let detail = "chunks and target are on different file systems: files are copied, not just renamed"
            findings.append(StoreFinding(kind: "store_slow", detail: detail))
        }
        return findings
    }

    /// What the configuration's paths do not show: links and mounts lead from one root to the other.
    private func nesting(_ chunksRoot: OpenFile, _ targetRoot: OpenFile) -> String? {
        let advice = "files that are published would count as chunks, or chunks as files: choose one beside it"
        do throws(FileError) {
            if try targetRoot.isWithin(chunksRoot) { return "target \(target) lies in chunks \(chunks); \(advice)" }
            if try chunksRoot.isWithin(targetRoot) { return "chunks \(chunks) lies in target \(target); \(advice)" }
            return nil
        } catch {
            return "chunks \(chunks), target \(target): \(error.fault("nobody can tell where they are").problem)"
        }
    }
}

extension OpenFile {
    /// Whether this directory is another, or lies below it.
    fileprivate func isWithin(_ other: OpenFile) throws(FileError) -> Bool {
        let end = try other.status()
        var current = try status()
        var path = "."
        while (current.device, current.inode) != (end.device, end.inode) {
            path += "/.."
            guard let above = try status(of: path), (above.device, above.inode) != (current.device, current.inode)
            else { return false }
            current = above
        }
        return true
    }
}

extension S3Store {
    /// What keeps us from using the bucket, nil if nothing does: asks for the parts of an upload that is not there.
    fileprivate func examine(at now: Timestamp) async -> String? {
        let limit = Moment.now + client.timeout
        let work = StoreWork(
            token: 0, deadline: limit, now: { now }, leaseRemaining: { limit - Moment.now }, state: nil,
            checkpoint: { _, _ in false })
        switch await client.listParts("\(ChunkNaming.reserved)/doctor", uploadID: "doctor", work) {
        case .success: return nil
        case .failure(let failure):
            // Whoever says so has found the bucket and accepted the key.
            guard !failure.isNoSuchUpload, failure.code != "NoSuchKey" else { return nil }
            return failure.fault.problem
        }
    }
}
