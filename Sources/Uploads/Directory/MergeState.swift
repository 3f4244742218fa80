import Crypto
import JSON

/// What of a merge survives the worker, noted at each checkpoint.
struct MergeNote: Hashable, Sendable {
    /// Of the chunks as the merge found them.
    var fingerprint: String
    /// The claim whose part holds the bytes.
    var token: Int64
    var mergedBytes: Int64
    /// The data file as it is about to become the target (`offset` layout): its old name will be gone then.
    var published: OpenFile.Status?

    var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("fingerprint", .string(fingerprint)), .init("token", .number(String(token))),
            .init("merged_bytes", .number(String(mergedBytes))),
        ]
        if let published {
            members += [
                .init("device", .number(String(published.device))), .init("inode", .number(String(published.inode))),
                .init("modified", .number(String(published.modified))),
            ]
        }
        return .object(members)
    }

    /// Nil if it is no note of ours.
    static func token(_ json: JSONValue?) -> (fingerprint: String, token: Int64, mergedBytes: Int64)? {
        guard let fingerprint = json?["fingerprint"]?.string, let token = json?["token"]?.integer,
            let mergedBytes = json?["merged_bytes"]?.integer, mergedBytes >= 0
        else { return nil }
        return (fingerprint, token, mergedBytes)
    }

    /// Whether `status` is the file that was about to be published when the note was taken.
    static func isPublished(_ status: OpenFile.Status, _ json: JSONValue?) -> Bool {
        json?["inode"]?.integer == Int64(bitPattern: status.inode)
            && json?["device"]?.integer == Int64(bitPattern: status.device)
            && json?["modified"]?.integer == status.modified
    }
}

/// A merge under way: the part that grows, and where it is.
struct MergeState: Sendable {
    let part: OpenFile
    let partName: String
    /// Nil where no digest is expected.
    var hasher: SHA256?
    var position: Int64 = 0
    /// The chunk that is open.
    var chunk: (index: Int, file: OpenFile, status: OpenFile.Status)?
    /// Whether the kernel copies between these files itself.
    var usesCopyRange = true
}
