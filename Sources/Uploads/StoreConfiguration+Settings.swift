import Outgoing
import Reconciling
import Settings

extension StoreConfiguration {
    private enum KindName: String, CaseIterable {
        case directory, s3
    }

    /// Reads one section of `stores`; its name is the lane's. Throws `SettingsError`, also for unknown keys.
    public init(reading section: inout SettingsSection) throws {
        guard let kind = try section.choice("kind", KindName.self) else {
            let names = KindName.allCases.map(\.rawValue).joined(separator: ", ")
            throw section.error("kind", problem: "the key is required", allowed: names)
        }
        let settings: Kind =
            switch kind {
            case .directory: .directory(try Directory(reading: &section))
            case .s3: .s3(try S3(reading: &section))
            }
        let timeout = try section.duration("timeout", in: .milliseconds(10)...(.seconds(600))) ?? .seconds(10)
        let rate = try section.rate("rate")
        let concurrency = try section.integer("concurrency", in: 1...100_000)
        let policy = try UploadPolicy(reading: &section)
        try section.finish()
        self.init(
            name: String(section.path.drop { $0 != "." }.dropFirst()), kind: settings, policy: policy,
            timeout: timeout, rate: rate, concurrency: concurrency)
    }
}

extension UploadPolicy {
    fileprivate init(reading section: inout SettingsSection) throws {
        self.init()
        let day = Duration.seconds(86_400)
        if let steps = try section.durations("cadence", in: .milliseconds(10)...(day * 365)) {
            guard (1...100).contains(steps.count) else {
                throw section.error("cadence", problem: "\(steps.count) steps", allowed: "1 to 100 durations")
            }
            cadence = steps
        }
        quiescence = try section.duration("quiescence", in: .zero...day) ?? quiescence
        expireAfter = try section.duration("expireAfter", in: .seconds(1)...(day * 3_650)) ?? expireAfter
        reclaimAfter = try section.duration("reclaimAfter", in: .zero...(day * 3_650)) ?? reclaimAfter
        isDryRun = try section.boolean("dryRun") ?? false
    }
}

extension StoreConfiguration.Directory {
    fileprivate init(reading section: inout SettingsSection) throws {
        self.init(chunks: try section.requiredString("chunks"), target: try section.requiredString("target"))
        layout = try section.choice("layout", Layout.self) ?? layout
        pattern = try section.string("pattern") ?? pattern
        firstIndex = try section.integer("firstIndex", in: 0...1) ?? firstIndex
        minFreeBytes = try section.size("minFreeBytes", in: 0...(1 << 50)) ?? minFreeBytes
        try checkRoots(in: section)
        let words = pattern.matches(of: /\{([^{}]*)\}/).map { String($0.1) }
        let isRelative = !pattern.hasPrefix("/") && !pattern.split(separator: "/").contains("..")
        let file = pattern.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        guard words.count(where: { $0 == "index" }) == 1, let index = file.range(of: "{index}"),
            words.contains("id") || words.contains("name"), isRelative,
            words.allSatisfy(["id", "name", "index"].contains)
        else {
            throw section.error(
                "pattern", problem: "the value does not name a chunk of an upload",
                allowed:
                    "a relative path with {id} or {name}, and {index} in the name of the file, such as {id}/{index}")
        }
        // An id is one part of a path, and tells sessions apart where it is the first to do so.
        let first = pattern.split(separator: "/").first { $0.contains("{") } ?? ""
        let isByID = first.contains("{id}") && !first.contains("{name}")
        guard isByID || !(words.contains("id") && words.contains("name")) else {
            throw section.error(
                "pattern", problem: "chunks of different uploads have one file, such as “x” of “y_z” and “x_y” of “z”",
                allowed: "{id} or {name}, or both as in {id}/{name}_{index}")
        }
        let literals = pattern.split(separator: "/", omittingEmptySubsequences: false)
        guard
            literals.allSatisfy({
                !$0.isEmpty && $0 != "." && !$0.hasPrefix(ChunkNaming.reserved) && $0.utf8.count < 200
            })
        else {
            throw section.error(
                "pattern", problem: "no chunk can have such a path",
                allowed: "parts of 1 to 199 bytes that are not “.” and do not begin with “\(ChunkNaming.reserved)”")
        }
        guard Self.isApart(file[..<index.lowerBound].reversed()), Self.isApart(file[index.upperBound...]) else {
            throw section.error(
                "pattern",
                problem: "chunks of different uploads have one file, such as chunk 10 of “1” and chunk 0 of “11”",
                allowed:
                    "something that is no digit, or a “/”, between {index} and {id} or {name}, such as {id}_{index}")
        }
    }

    /// Whether what stands beside the index, from there on, cannot be taken for digits of it.
    private static func isApart(_ neighbours: some Sequence<Character>) -> Bool {
        for character in neighbours {
            if character == "{" || character == "}" { return false }
            if !("0"..."9").contains(character) { return true }
        }
        return true
    }

    /// A file that is published must not be taken for a chunk, nor a chunk for a file that is there already.
    private func checkRoots(in section: SettingsSection) throws {
        for (key, path) in [("chunks", chunks), ("target", target)] where Self.segments(path).contains("..") {
            throw section.error(key, problem: "the path holds a “..”", allowed: "a path without it")
        }
        let (from, to) = (Self.segments(chunks), Self.segments(target))
        let problem: String? =
            if from == to {
                "the same directory as chunks"
            } else if to.starts(with: from) {
                "a directory below chunks"
            } else if from.starts(with: to) {
                "a directory above chunks"
            } else {
                nil
            }
        guard let problem else { return }
        throw section.error("target", problem: problem, allowed: "a directory beside it")
    }

    fileprivate static func isNested(_ one: String, _ other: String) -> Bool {
        let (one, other) = (segments(one), segments(other))
        return one.starts(with: other) || other.starts(with: one)
    }

    /// A path but for doubled, trailing and `.` parts.
    private static func segments(_ path: String) -> [Substring] {
        [path.hasPrefix("/") ? "/" : "."] + path.split(separator: "/").filter { $0 != "." }
    }
}

extension StoreConfiguration {
    /// Why this one cannot be served beside the other, and by which key; nil if it can. What one publishes must not be
    /// another's chunk, and no chunk two stores': it would be freed by the one that is done first.
    public func directoryProblem(beside other: StoreConfiguration) -> (key: String, problem: String)? {
        guard case .directory(let ours) = kind, case .directory(let theirs) = other.kind else { return nil }
        if Directory.isNested(ours.chunks, theirs.target) { return ("chunks", "the target of \(other.name)") }
        if Directory.isNested(ours.target, theirs.chunks) { return ("target", "the chunks of \(other.name)") }
        guard Directory.isNested(ours.chunks, theirs.chunks) else { return nil }
        // An id is one session's, whatever its store.
        let isByID = ours.pattern.contains("{id}") && ours.pattern == theirs.pattern && ours.chunks == theirs.chunks
        return isByID ? nil : ("chunks", "the chunks of \(other.name)")
    }
}

extension StoreConfiguration.S3 {
    fileprivate init(reading section: inout SettingsSection) throws {
        let isTrusted = try section.boolean("trustPlainHttp") ?? false
        guard let endpoint = EndpointURL(try section.requiredString("endpoint")), !endpoint.target.contains("?") else {
            throw section.error(
                "endpoint", problem: "not the URL of a store", allowed: "https://host or https://host:port")
        }
        guard endpoint.isAuthenticated || isTrusted else {
            throw section.error(
                "endpoint", problem: "over plain http another host's answers prove nothing",
                allowed: "https, http to this machine, or trustPlainHttp: true")
        }
        let host = endpoint.host
        let isAmazon = host.hasSuffix(".amazonaws.com") || host.hasSuffix(".amazonaws.com.cn")
        let bucket = try section.requiredString("bucket")
        guard bucket.utf8.count <= 255, bucket.first != ".", bucket.utf8.allSatisfy(Self.isBucketByte) else {
            throw section.error(
                "bucket", problem: "the value is not a bucket's name",
                allowed: "letters, digits, \".\", \"_\" and \"-\"")
        }
        let addressing = try section.choice("addressing", Addressing.self)
        self.init(
            endpoint: endpoint, bucket: bucket, region: try section.requiredString("region"),
            accessKey: try section.requiredSecret("accessKey"), secretKey: try section.requiredSecret("secretKey"),
            addressing: addressing ?? (isAmazon ? .virtual : .path))
    }

    private static func isBucketByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            || "._-".utf8.contains(byte)
    }
}
