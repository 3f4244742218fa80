import JSON

/// Where the files of one session are, by the store's pattern. No name leads out of the store.
struct ChunkNaming: Sendable {
    /// Ours below a root; no name of a session may begin so.
    static let reserved = ".reconciled"
    /// What stands in the place of the index in the name of an `offset` layout's data file.
    static let dataWord = "data"
    private static let nameBytesMax = 255
    private static let paddingMax = 9

    /// The directories below the root.
    let path: [String]
    /// Whether the last of them is this session's alone.
    let ownsDirectory: Bool
    private let prefix: String
    private let suffix: String
    let firstIndex: Int

    init(_ upload: Upload, pattern: String, firstIndex: Int) throws(StoreFault) {
        self.firstIndex = firstIndex
        var parts = pattern.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard let file = parts.popLast(), let index = file.range(of: "{index}"),
            !parts.contains(where: { $0.contains("{index}") })
        else {
            throw StoreFault(.misconfigured, "The pattern has no {index} in the name of the file.")
        }
        var path: [String] = []
        for part in parts {
            // A name may hold directories of its own, an id is one word.
            let filled = try Self.filled(part, upload)
            path += filled.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        }
        ownsDirectory = parts.last.map { $0.contains("{id}") || $0.contains("{name}") } ?? false
        var head = try Self.filled(String(file[..<index.lowerBound]), upload)
            .split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        prefix = head.popLast() ?? ""
        path += head
        suffix = try Self.filled(String(file[index.upperBound...]), upload)
        guard !suffix.utf8.contains(UInt8(ascii: "/")) else {
            throw Self.invalid("The name holds a “/” behind the chunk's number.")
        }
        self.path = path
        for part in path { try Self.check(part) }
        try Self.check(prefix + "0" + suffix)
        try Self.check(prefix + Self.dataWord + suffix)
    }

    /// - Parameter index: from 0.
    func fileName(_ index: Int) -> String { prefix + String(index + firstIndex) + suffix }

    /// As a client would name the file that pads numbers with zeros.
    func paddedNames(_ index: Int) -> [String] {
        let digits = String(index + firstIndex)
        return (1...Self.paddingMax).map { prefix + String(repeating: "0", count: $0) + digits + suffix }
            .filter { $0.utf8.count <= Self.nameBytesMax }
    }

    var dataName: String { prefix + Self.dataWord + suffix }

    /// The chunk's index (from 0) that a file's name claims, however it is spelled; nil if it is no chunk's name.
    func index(of name: String) -> Int? {
        guard name.hasPrefix(prefix), name.hasSuffix(suffix), name.utf8.count > prefix.utf8.count + suffix.utf8.count
        else { return nil }
        let digits = name.utf8.dropFirst(prefix.utf8.count).dropLast(suffix.utf8.count)
        guard digits.allSatisfy({ (0x30...0x39).contains($0) }), digits.count <= 18, let number = Int(Substring(digits))
        else { return nil }
        return number - firstIndex
    }

    /// The target's path below its root: directories, then the file.
    static func target(_ upload: Upload) throws(StoreFault) -> (path: [String], file: String) {
        var parts = upload.name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        for part in parts { try check(part) }
        guard let file = parts.popLast() else { throw invalid("The name is empty.") }
        return (parts, file)
    }

    private static func filled(_ text: String, _ upload: Upload) throws(StoreFault) -> String {
        if text.contains("{id}"), upload.id.utf8.contains(UInt8(ascii: "/")) {
            throw invalid("The id holds a “/” and stands in the names of the chunks.")
        }
        // One pass: what an id or a name brings along is not a placeholder.
        var result = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            result += rest[..<open]
            rest = rest[open...]
            if rest.hasPrefix("{id}") {
                result += upload.id
                rest = rest.dropFirst(4)
            } else if rest.hasPrefix("{name}") {
                result += upload.name
                rest = rest.dropFirst(6)
            } else {
                result.append(rest.removeFirst())
            }
        }
        return result + rest
    }

    private static func check(_ part: String) throws(StoreFault) {
        guard !part.isEmpty, part != ".", part != ".." else {
            throw invalid("A part of the path is empty, “.” or “..”.")
        }
        // A “/” with a combining mark behind it is one Character to Swift, and still a “/” to the kernel.
        guard !part.utf8.contains(UInt8(ascii: "/")) else { throw invalid("A part of the path holds a “/”.") }
        guard part.utf8.count <= nameBytesMax else { throw invalid("A part of the path is longer than 255 bytes.") }
        guard !part.hasPrefix(reserved) else { throw invalid("A part of the path begins with “\(reserved)”.") }
        guard !part.hasControlCharacter else {
            throw invalid("A part of the path holds a control character.")
        }
    }

    private static func invalid(_ problem: String) -> StoreFault {
        StoreFault(.invalid(reason: UploadReason.invalidName), problem)
    }
}

extension UploadReason {
    /// A name that leads out of the store, or that no file can have.
    static let invalidName = "INVALID_NAME"
}
