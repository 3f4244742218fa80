import JSON

extension Inventory {
    /// Single chunks that are named at most; beyond that their number says enough.
    static let oddityCountMax = 20
    static let missingBytesMax = 200

    /// As `checks.answer` and `review_detail` keep it: bounded, however much is missing.
    var jsonObject: JSONObjectText {
        var object = JSONObjectText()
        object.add("received", Int64(received))
        object.add("received_bytes", receivedBytes)
        if !missing.isEmpty {
            object.add("missing", missing.shortened(to: Self.missingBytesMax))
            object.add("missing_count", Int64(missing.count))
        }
        object.add("oddities", objects: oddities.prefix(Self.oddityCountMax).map(\.jsonObject))
        if oddities.count > Self.oddityCountMax { object.add("oddity_count", Int64(oddities.count)) }
        object.add("last_activity_at", lastActivityAt?.description)
        object.add("target_bytes", targetBytes)
        if isSessionGone { object.add("session_gone", true) }
        object.add("obstacle", obstacle)
        return object
    }

    /// What of it belongs into `review_detail`: nil if nothing is odd but that chunks are missing.
    func detail(isReview: Bool) -> String? {
        isReview || !oddities.isEmpty || isSessionGone || obstacle != nil ? jsonObject.text : nil
    }
}

extension ChunkOddity {
    var jsonObject: JSONObjectText {
        var object = JSONObjectText()
        object.add("number", Int64(number))
        object.add("kind", kind.rawValue)
        object.add("bytes", bytes)
        return object
    }
}

extension ChunkRanges {
    /// Of the column `missing`: room for every second of 10,000 chunks, the most that S3 knows.
    static let columnBytesMax = 32_768

    /// As `description`, cut behind a number if it is longer: `3,7-9,…`.
    func shortened(to bytesMax: Int, mark: String = ",…") -> String {
        var text = ""
        for range in ranges {
            let part = range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
            guard text.utf8.count + part.utf8.count + 1 <= bytesMax else { return text + mark }
            text += text.isEmpty ? part : ",\(part)"
        }
        return text
    }

    /// What a client that resumes is told to send, as far as the column holds it. No mark: all of it are numbers, and
    /// when they have come the rest is named.
    var column: String { shortened(to: Self.columnBytesMax, mark: "") }
}
