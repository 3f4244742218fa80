import JSON

/// What the fields that only uploads have may hold.
enum UploadField {
    static let nameBytesMax = 1_024
    static let segmentBytesMax = 255
    static let uploadIDBytesMax = 1_024

    /// A path below the target's directory, or an object's key: nothing that leads elsewhere, and nothing of ours.
    static func name(_ field: String, _ value: String) throws(InputError) -> String {
        let allowed =
            "a relative path of at most \(nameBytesMax) bytes, without control characters, its parts 1 to "
            + "\(segmentBytesMax) bytes, none of them . or .. or beginning with .reconciled"
        func failure(_ problem: String) -> InputError { InputError(field, problem: problem, allowed: allowed) }
        guard !value.isEmpty else { throw failure("is empty") }
        guard value.utf8.count <= nameBytesMax else { throw failure("is too long") }
        guard !value.hasPrefix("/") else { throw failure("is an absolute path") }
        guard !value.hasControlCharacter else {
            throw failure("holds a control character")
        }
        // By bytes: a combining character behind a slash makes it another Character, and no other path.
        for segment in value.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            guard !segment.isEmpty else { throw failure("has an empty part") }
            guard segment.count <= segmentBytesMax else { throw failure("has a part that is too long") }
            guard !segment.elementsEqual(".".utf8), !segment.elementsEqual("..".utf8) else {
                throw failure("has a part . or ..")
            }
            guard !segment.starts(with: ".reconciled".utf8) else { throw failure("has a part of Reconciled's own") }
        }
        return value
    }

    /// 64 hexadecimal digits; the result is in lower case, as the column is.
    static func sha256(_ field: String, _ value: String) throws(InputError) -> String {
        let isHex = value.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x46).contains($0) || (0x61...0x66).contains($0)
        }
        guard value.utf8.count == 64, isHex else {
            throw InputError(field, problem: "is not a SHA-256", allowed: "64 hexadecimal digits")
        }
        return value.lowercased()
    }

    /// The chunks that the file is cut into. Without a count, all but the last are of `chunkBytes`, and that one is no
    /// longer.
    static func plan(totalBytes: Int64, chunkBytes: Int64, chunkCount: Int?) throws(InputError) -> ChunkPlan {
        guard totalBytes >= 0 else { throw InputError("total_bytes", problem: "is negative", allowed: totalAllowed) }
        guard chunkBytes > 0 else {
            throw InputError("chunk_bytes", problem: "is not above zero", allowed: chunkAllowed)
        }
        let (whole, rest) = totalBytes.quotientAndRemainder(dividingBy: chunkBytes)
        let computed = whole + (rest > 0 ? 1 : 0)
        guard chunkCount != nil || computed <= ChunkPlan.countMax else {
            throw InputError(
                "chunk_bytes", problem: "makes \(computed) chunks", allowed: "at most \(ChunkPlan.countMax) chunks")
        }
        guard
            let plan = ChunkPlan(totalBytes: totalBytes, chunkBytes: chunkBytes, count: chunkCount ?? Int(computed))
        else {
            throw InputError(
                "chunk_count", problem: "does not fit total_bytes and chunk_bytes",
                allowed: computed > 1 && rest > 0
                    ? "\(computed), or \(computed - 1) where the last chunk takes the rest" : "\(max(computed, 1))")
        }
        return plan
    }

    static func status(_ field: String, _ value: String) throws(InputError) -> String {
        guard value == "receiving" else {
            throw InputError(field, problem: "is not a status to begin with", allowed: "receiving")
        }
        return value
    }

    static func uploadID(_ field: String, _ value: String) throws(InputError) -> String {
        guard (1...uploadIDBytesMax).contains(value.utf8.count), value.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            throw InputError(
                field, problem: "is not a multipart upload's id",
                allowed: "1 to \(uploadIDBytesMax) printable ASCII characters without spaces")
        }
        return value
    }

    static let totalAllowed = "a whole number of bytes from 0 to \(Int64.max)"
    static let chunkAllowed = "a whole number of bytes from 1 to \(Int64.max)"
    static let countAllowed = "a whole number from 0 to \(ChunkPlan.countMax)"
}
