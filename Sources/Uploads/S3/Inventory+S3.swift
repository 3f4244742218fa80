import Crypto
import Timeline

extension Inventory {
    /// What the parts of a multipart upload are to the plan. Chunks are numbered from 1, as parts are.
    init(_ listing: S3Listing, plan: ChunkPlan) {
        let parts = listing.parts.values.sorted { $0.number < $1.number }
        self.init(received: 0, receivedBytes: 0, fingerprint: Self.fingerprint(parts))
        for index in 0..<plan.count {
            let number = index + 1
            guard let part = listing.parts[number] else {
                missing.append(number)
                continue
            }
            if let kind = Self.oddity(part, listing, expected: plan.bytes(at: index)) {
                missing.append(number)
                oddities.append(ChunkOddity(number: number, kind: kind, bytes: part.bytes))
            } else {
                received += 1
                receivedBytes += part.bytes
            }
        }
        for part in parts where part.number > plan.count {
            oddities.append(ChunkOddity(number: part.number, kind: .extra, bytes: part.bytes))
        }
        let times = parts.compactMap(\.lastModified)
        lastActivityAt = times.max()
        // Both by the store's clock. A part without a time may be the youngest.
        if let now = listing.storeTime, let last = lastActivityAt, times.count == parts.count {
            quietFor = max(now - last, .zero)
        }
    }

    private static func oddity(_ part: S3Part, _ listing: S3Listing, expected: Int64) -> ChunkOddity.Kind? {
        if listing.duplicates.contains(part.number) { return .duplicate }
        return part.bytes == expected ? nil : part.bytes < expected ? .short : .oversize
    }

    /// Differs as soon as any part does.
    static func fingerprint(_ parts: [S3Part]) -> String {
        var hash = SHA256()
        for part in parts { hash.update(data: Array("\(part.number):\(part.etag):\(part.bytes);".utf8)) }
        return String(hash.finalize().hexadecimal.prefix(32))
    }
}
