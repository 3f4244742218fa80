import JSON

/// What of a merge survives the worker, noted at each checkpoint.
struct MergeNote: Hashable, Sendable {
    /// A file as it is about to become the target.
    struct Published: Hashable, Sendable {
        var inode: UInt64
        /// Nanoseconds since 1970.
        var modified: Int64

        init(inode: UInt64, modified: Int64) {
            self.inode = inode
            self.modified = modified
        }

        init(_ status: OpenFile.Status) {
            self.init(inode: status.inode, modified: status.modified)
        }
    }

    /// Of the chunks as the merge found them.
    var fingerprint: String
    /// The claim whose part holds the bytes.
    var token: Int64
    var mergedBytes: Int64
    /// When any of those chunks changed last, by the clock of their file system, in nanoseconds since 1970.
    var changedAt: Int64?
    /// Once renamed, the file is known by this alone.
    var published: Published?
    /// What that file hashes to, if that was asked.
    var digest: String?

    init(
        fingerprint: String, token: Int64, mergedBytes: Int64, changedAt: Int64? = nil,
        published: OpenFile.Status? = nil
    ) {
        self.fingerprint = fingerprint
        self.token = token
        self.mergedBytes = mergedBytes
        self.changedAt = changedAt
        self.published = published.map(Published.init)
    }

    /// Nil if it is no note of ours.
    init?(_ json: JSONValue?) {
        guard let json, let fingerprint = json["fingerprint"]?.string, let token = json["token"]?.integer,
            let mergedBytes = json["merged_bytes"]?.integer, mergedBytes >= 0
        else { return nil }
        self.init(
            fingerprint: fingerprint, token: token, mergedBytes: mergedBytes, changedAt: json["changed_at"]?.integer)
        if let inode = json["inode"]?.integer, let modified = json["modified"]?.integer {
            published = Published(inode: UInt64(bitPattern: inode), modified: modified)
        }
        digest = json["sha256"]?.string
    }

    var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("fingerprint", .string(fingerprint)), .init("token", .number(String(token))),
            .init("merged_bytes", .number(String(mergedBytes))),
        ]
        if let changedAt { members.append(.init("changed_at", .number(String(changedAt)))) }
        if let published {
            members += [
                .init("inode", .number(String(Int64(bitPattern: published.inode)))),
                .init("modified", .number(String(published.modified))),
            ]
        }
        if let digest { members.append(.init("sha256", .string(digest))) }
        return .object(members)
    }

    /// Whether `target` is the file that was about to be published when the note was taken, and the chunks that are
    /// still there are the ones it was made of. A device's number is not compared: it may be another after a restart.
    func isPublished(_ target: OpenFile.Status, beside chunks: ChunkFiles.Look) -> Bool {
        guard let published, published == Published(target), let changedAt else { return false }
        return (chunks.changedAt ?? .min) <= changedAt
    }

    /// When the chunks that `target` was made of changed last; nil if it is not the file that was about to be published:
    /// someone made another one, maybe of chunks that came later.
    ///
    /// - Parameter target: nil: the file was taken elsewhere since.
    func chunksChangedAt(of target: OpenFile.Status?) -> Int64? {
        guard let published else { return nil }
        return target.map { published == Published($0) } ?? true ? changedAt : nil
    }
}
