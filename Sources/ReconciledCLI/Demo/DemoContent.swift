import Crypto

/// What is in a file of the demo: bytes that are the same each time, and different in every file and place.
struct DemoContent: Sendable {
    let number: Int
    let totalBytes: Int64

    private static let pageBytes: Int64 = 1 << 20
    private static let block: [UInt8] = {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(pageBytes))
        while bytes.count < Int(pageBytes) {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: state >> shift))
            }
        }
        return bytes
    }()

    func bytes(at offset: Int64, count: Int64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(count))
        var position = offset
        let end = min(offset + count, totalBytes)
        while position < end {
            let page = position / Self.pageBytes
            let start = position - page * Self.pageBytes
            let length = min(Self.pageBytes - start, end - position)
            bytes += self.page(page)[Int(start)..<Int(start + length)]
            position += length
        }
        return bytes
    }

    private func page(_ index: Int64) -> [UInt8] {
        var page = Self.block
        // Where it is in the file, and in which: no two pages are alike.
        for (place, byte) in "\(number)/\(index)/".utf8.enumerated() { page[place] = byte }
        return page
    }

    /// In lower-case hex.
    var sha256: String {
        var hasher = SHA256()
        var position: Int64 = 0
        while position < totalBytes {
            hasher.update(data: bytes(at: position, count: Self.pageBytes))
            position += Self.pageBytes
        }
        return Self.hex(hasher.finalize())
    }

    static func hex(_ digest: SHA256.Digest) -> String {
        digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
