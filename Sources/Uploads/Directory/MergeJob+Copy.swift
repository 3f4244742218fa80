import CLinux
import Crypto
import Glibc

extension MergeJob {
    /// Copies on until `end`, and makes it durable.
    func copy(_ state: inout MergeState, to end: Int64) throws {
        do {
            var buffer: [UInt8] = []
            while state.position < end {
                try checkInterruption()
                try copyPiece(&state, end: end, &buffer)
            }
            try state.part.synchronizeData()
        } catch let error as FileError {
            // What was written since the last checkpoint may not be on the disk, and a disk that could not write says
            // nothing about the rest. The error at hand is the one to tell.
            if error.isSynchronization, !error.isNoSpace { try? discardPart(state) } else { try? setBack(state) }
            if error.isNoSpace {
                throw Stop(
                    .noSpace(
                        neededBytes: plan.totalBytes - state.position, freeBytes: (try? targetRoot.freeBytes()) ?? 0))
            }
            throw error
        } catch let fault as StoreFault {
            try? setBack(state)
            throw fault
        } catch let stop as Stop {
            if stop.outcome == .chunksChanged { try? discardPart(state) }
            throw stop
        }
    }

    private func copyPiece(_ state: inout MergeState, end: Int64, _ buffer: inout [UInt8]) throws {
        let index = plan.count == 0 ? 0 : Int(min(state.position / plan.chunkBytes, Int64(plan.count - 1)))
        if state.chunk?.index != index {
            guard let opened = try files.open(copiesData ? nil : index, bytes: plan.bytes(at: index)) else {
                throw Stop(.chunksChanged)
            }
            state.chunk = (index, opened.file, opened.status)
        }
        guard let chunk = state.chunk else { throw Stop(.chunksChanged) }
        let offset = state.position - plan.offset(of: index)
        let left = min(plan.bytes(at: index) - offset, end - state.position)
        let copied =
            state.hasher == nil && state.usesCopyRange
            ? try copyRange(&state, from: chunk.file, offset, left)
            : try copyBytes(&state, from: chunk.file, offset, left, &buffer)
        guard copied > 0 else {
            if !state.usesCopyRange, state.hasher == nil, copied < 0 { return }  // the kernel does not: by hand then
            throw Stop(.chunksChanged)
        }
        let before = state.position
        state.position += copied
        // The disk is to write while the next piece is copied, so that little is left for the checkpoint to wait for.
        if before / Self.copyBytes != state.position / Self.copyBytes {
            writeBehind.begin(state.part, from: before / Self.copyBytes * Self.copyBytes, to: state.position)
        }
        if offset + copied == plan.bytes(at: index) {
            guard try chunk.file.status() == chunk.status else { throw Stop(.chunksChanged) }
            state.chunk = nil
        }
    }

    /// Lets the kernel copy; -1 if it does not between these files.
    private func copyRange(
        _ state: inout MergeState, from file: OpenFile, _ offset: Int64, _ count: Int64
    ) throws -> Int64 {
        var from = offset
        var to = state.position
        while true {
            let copied = unsafe linux_copy_file_range(
                file.descriptor, &from, state.part.descriptor, &to, Int(min(count, Self.copyBytes)), 0)
            if copied >= 0 { return Int64(copied) }
            switch errno {
            case EINTR: continue
            case EXDEV, EOPNOTSUPP, ENOSYS, EINVAL, EPERM:
                state.usesCopyRange = false
                return -1
            default: throw FileError("copy_file_range")
            }
        }
    }

    private func copyBytes(
        _ state: inout MergeState, from file: OpenFile, _ offset: Int64, _ count: Int64, _ buffer: inout [UInt8]
    ) throws -> Int64 {
        let read = try Self.read(file, at: offset, min(count, Int64(Self.pieceBytes)), into: &buffer)
        guard read > 0 else { return 0 }
        unsafe buffer.withUnsafeBytes { bytes in
            let piece = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<read])
            unsafe state.hasher?.update(bufferPointer: piece)
        }
        var written = 0
        while written < read {
            let result = unsafe buffer.withUnsafeBytes { bytes in
                unsafe pwrite(
                    state.part.descriptor, bytes.baseAddress! + written, read - written,
                    off_t(state.position) + off_t(written))
            }
            if result < 0 {
                if errno == EINTR { continue }
                throw FileError("pwrite")
            }
            written += result
        }
        return Int64(read)
    }

    /// Reads a piece; zero at the end.
    static func read(
        _ file: OpenFile, at offset: Int64, _ count: Int64, into buffer: inout [UInt8]
    ) throws(FileError) -> Int {
        if buffer.count < pieceBytes { buffer = [UInt8](repeating: 0, count: pieceBytes) }
        while true {
            let read = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe pread(file.descriptor, bytes.baseAddress, Int(min(count, Int64(pieceBytes))), off_t(offset))
            }
            if read >= 0 { return read }
            guard errno == EINTR else { throw FileError("pread") }
        }
    }

    /// Reads what an earlier worker copied: its digest died with it.
    func rehash(_ state: inout MergeState, to end: Int64) throws {
        state.position = end
        guard upload.sha256 != nil else { return }
        state.hasher = try hash(state.part, bytes: end)
    }

    /// Copies what a frozen worker is known to have made durable.
    func copyPrefix(from old: OpenFile, _ state: inout MergeState, bytes: Int64) throws {
        if upload.sha256 != nil { state.hasher = SHA256() }
        var buffer: [UInt8] = []
        while state.position < bytes {
            try checkInterruption()
            var copied: Int64 = -1
            if state.hasher == nil, state.usesCopyRange {
                copied = try copyRange(&state, from: old, state.position, bytes - state.position)
            }
            if copied < 0 { copied = try copyBytes(&state, from: old, state.position, bytes - state.position, &buffer) }
            guard copied > 0 else { throw Stop(.chunksChanged) }
            state.position += copied
        }
        try state.part.synchronizeData()
    }

    /// The digest's state over the first bytes of a file.
    func hash(_ file: OpenFile, bytes: Int64) throws -> SHA256 {
        var hasher = SHA256()
        var buffer: [UInt8] = []
        var position: Int64 = 0
        while position < bytes {
            try checkInterruption()
            let read = try Self.read(file, at: position, bytes - position, into: &buffer)
            guard read > 0 else { throw Stop(.chunksChanged) }
            unsafe buffer.withUnsafeBytes { piece in
                unsafe hasher.update(bufferPointer: UnsafeRawBufferPointer(rebasing: piece[..<read]))
            }
            position += Int64(read)
        }
        return hasher
    }
}
