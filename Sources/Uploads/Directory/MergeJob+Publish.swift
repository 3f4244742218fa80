import Crypto
import Glibc
import JSON

extension MergeJob {
    /// Looks at the whole part before it is published; its digest where one is expected.
    func verify(_ state: MergeState) throws -> String? {
        try state.part.synchronize()
        let bytes = try state.part.status().bytes
        guard bytes == plan.totalBytes else {
            try discardPart(state)
            throw Stop(.sizeMismatch(Self.detail(("expected_bytes", plan.totalBytes), ("actual_bytes", bytes))))
        }
        let digest = state.hasher.map { $0.finalize().hexadecimal }
        if let digest, let expected = upload.sha256, digest != expected {
            try discardPart(state)
            throw Stop(.digestMismatch(try diagnosis(expected: expected, actual: digest)))
        }
        return digest
    }

    /// Publishes the part: it appears under its name whole, or not at all, and never over something.
    func publish(_ state: MergeState, digest: String?) throws -> MergeOutcome {
        let directory: OpenFile
        do {
            directory = try madeTargetDirectory()
        } catch {
            // Humans may come late or never. What is tried again goes on with the part.
            if Self.isForHumans(error) { try discardPart(state) }
            throw error
        }
        let parts = try partsDirectory(creating: false)
        try checkInterruption()
        let isMoved: Bool
        do throws(FileError) {
            isMoved = try parts.move(state.partName, to: directory, target.file)
        } catch {
            // A later claim took the part's name away: it publishes.
            guard error.isNotFound else { throw error }
            return .interrupted
        }
        guard isMoved else {
            try discardPart(state)
            return try compared()
        }
        try directory.synchronize()
        try parts.synchronize()
        // It is published, whatever becomes of what others left.
        try? sweepParts()
        return .published(Publication(location: location, etag: digest, bytes: plan.totalBytes))
    }

    /// Whether an error is nothing that trying again would set right.
    private static func isForHumans(_ error: any Error) -> Bool {
        switch error {
        case let stop as Stop: stop.outcome != .interrupted
        case let fault as StoreFault: fault.isForHumans
        case let error as FileError: error.fault("").isForHumans
        default: false
        }
    }

    /// Moves the data file of an `offset` layout to the target's place; nil if that is another file system.
    func publishData() throws -> MergeOutcome? {
        guard let source = files.directory else { throw Stop(.chunksChanged) }
        let directory = try madeTargetDirectory()
        try checkInterruption()
        let isMoved: Bool
        do throws(FileError) {
            isMoved = try source.move(files.naming.dataName, to: directory, target.file)
        } catch {
            if error.code == EXDEV { return nil }
            // An earlier worker that was frozen may just have moved it; the next look shows.
            guard error.isNotFound else { throw error }
            return .interrupted
        }
        guard isMoved else { return try compared() }
        try directory.synchronize()
        try source.synchronize()
        // It is published, whatever becomes of what others left.
        try? sweepParts()
        return .published(Publication(location: location, etag: upload.sha256, bytes: plan.totalBytes))
    }

    /// What stands at the target's place against this upload: by digest, or without one byte for byte with the chunks.
    func compared() throws -> MergeOutcome {
        let directory = try targetRoot.directory(target.path)
        guard let found = try directory.status(of: target.file) else { return .interrupted }
        if let difference = difference(found) { return .targetExists(difference.detail) }
        let file = try directory.open(target.file, O_RDONLY)
        if let expected = upload.sha256 {
            let actual = try hash(file, bytes: found.bytes).finalize().hexadecimal
            guard actual == expected else {
                return .targetExists(Self.digests(expected: expected, target: actual))
            }
        } else if let difference = try firstDifference(file) {
            return .targetExists(Self.detail(("first_difference_at", difference)))
        }
        return try confirmed(digest: upload.sha256)
    }

    /// What shows without reading it that what stands at the target's place is not this upload's file; nil: nothing does.
    func difference(_ found: OpenFile.Status) -> (reason: String, detail: JSONValue)? {
        guard found.kind == .file else {
            let what = found.kind == .link ? "a symbolic link" : "not a file"
            return (UploadReason.targetExists, .object([.init("target", .string(what))]))
        }
        guard found.bytes == plan.totalBytes else {
            return (
                UploadReason.sizeMismatch,
                Self.detail(("expected_bytes", plan.totalBytes), ("target_bytes", found.bytes))
            )
        }
        return nil
    }

    static func digests(expected: String, target: String) -> JSONValue {
        .object([.init("expected_sha256", .string(expected)), .init("target_sha256", .string(target))])
    }

    /// The target is this upload's file. Whoever put it there may not have made it durable.
    func confirmed(digest: String?) throws -> MergeOutcome {
        let directory = try targetRoot.directory(target.path, creating: true)
        try directory.open(target.file, O_RDONLY).synchronize()
        try directory.synchronize()
        // It is published, whatever becomes of what others left.
        try? sweepParts()
        return .published(Publication(location: location, etag: digest, bytes: plan.totalBytes))
    }

    /// Where the file and the chunks that are there differ first; nil if they do not.
    ///
    /// - Parameter skipsMissing: leaves out what is not there whole; else that ends it with `chunksChanged`.
    func firstDifference(_ file: OpenFile, skipsMissing: Bool = false) throws -> Int64? {
        var ours: [UInt8] = []
        var theirs: [UInt8] = []
        // An `offset` layout's chunks are one file.
        guard files.layout == .chunks || copiesData else {
            guard let whole = ChunkPlan(totalBytes: plan.totalBytes, chunkBytes: max(1, plan.totalBytes), count: 1)
            else {
                return nil
            }
            return try copyingData(by: whole).firstDifference(file, skipsMissing: skipsMissing)
        }
        for index in 0..<plan.count {
            guard let chunk = try files.open(copiesData ? nil : index, bytes: plan.bytes(at: index))?.file else {
                if skipsMissing { continue }
                throw Stop(.chunksChanged)
            }
            var offset: Int64 = 0
            while offset < plan.bytes(at: index) {
                try checkInterruption()
                let left = plan.bytes(at: index) - offset
                let position = plan.offset(of: index) + offset
                let count = try Self.read(chunk, at: offset, left, into: &ours)
                guard count > 0 else { throw Stop(.chunksChanged) }
                var read = 0
                while read < count {
                    let more = try Self.read(file, at: position + Int64(read), Int64(count - read), into: &theirs)
                    guard more > 0 else { return position + Int64(read) }
                    if ours[read..<read + more] != theirs[..<more] {
                        let at = zip(ours[read..<read + more], theirs[..<more]).enumerated().first { $1.0 != $1.1 }
                        return position + Int64(read) + Int64(at?.offset ?? 0)
                    }
                    read += more
                }
                offset += Int64(count)
            }
        }
        return nil
    }

    /// A target of which nobody can tell whether it is this upload, for humans: how many chunks are there, all of them
    /// equal to it, and which could not be compared.
    func undecided(_ status: OpenFile.Status, _ inventory: Inventory) -> JSONValue {
        var members: [JSONValue.Member] = [.init("target_bytes", .number(String(status.bytes)))]
        if files.layout == .chunks {
            members.append(.init("equal_chunks", .number(String(inventory.received))))
            let missing = inventory.missing.shortened(to: Inventory.missingBytesMax)
            members.append(.init("not_compared", .string(missing)))
        }
        return .object(members)
    }

    /// Why a digest may be wrong: chunks that hold nothing but zeros, and chunks that are equal to another.
    private func diagnosis(expected: String, actual: String) throws -> JSONValue {
        var suspects: [JSONValue] = []
        var seen: [String: Int] = [:]
        var buffer: [UInt8] = []
        chunks: for index in 0..<plan.count where plan.bytes(at: index) > 0 && suspects.count < 20 {
            guard let chunk = try files.open(index, bytes: plan.bytes(at: index))?.file else { continue }
            var hasher = SHA256()
            var isZero = true
            var offset: Int64 = 0
            while offset < plan.bytes(at: index) {
                try checkInterruption()
                let count = try Self.read(chunk, at: offset, plan.bytes(at: index) - offset, into: &buffer)
                guard count > 0 else { continue chunks }
                unsafe buffer.withUnsafeBytes { bytes in
                    let piece = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<count])
                    unsafe hasher.update(bufferPointer: piece)
                    unsafe isZero = isZero && piece.allSatisfy { $0 == 0 }
                }
                offset += Int64(count)
            }
            let number = index + files.naming.firstIndex
            let digest = hasher.finalize().hexadecimal
            if isZero {
                suspects.append(Self.suspect(number, "holds nothing but zeros"))
            } else if let twin = seen[digest] {
                suspects.append(Self.suspect(number, "is equal to chunk \(twin)"))
            }
            seen[digest] = seen[digest] ?? number
        }
        var members: [JSONValue.Member] = [
            .init("expected_sha256", .string(expected)), .init("actual_sha256", .string(actual)),
        ]
        if !suspects.isEmpty { members.append(.init("suspects", .array(suspects))) }
        return .object(members)
    }

    private static func suspect(_ number: Int, _ why: String) -> JSONValue {
        .object([.init("chunk", .number(String(number))), .init("why", .string(why))])
    }

    static func detail(_ members: (String, Int64)...) -> JSONValue {
        .object(members.map { .init($0.0, .number(String($0.1))) })
    }
}
