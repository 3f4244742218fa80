import Glibc

/// A system call on a file that failed.
struct FileError: Error, Hashable {
    var code: Int32
    /// The call, e.g. `openat`.
    var call: String

    init(_ call: String, code: Int32 = errno) {
        self.call = call
        self.code = code
    }

    var isNotFound: Bool { code == ENOENT || code == ENOTDIR }

    var isNoSpace: Bool { code == ENOSPC || code == EDQUOT || code == EFBIG }

    /// This user may not; a chunk may be like that while its store is not.
    var isForbidden: Bool { code == EACCES || code == EPERM }

    /// What was written may never reach the disk.
    var isSynchronization: Bool { call == "fsync" || call == "fdatasync" }

    /// The store's fault as the reconciler understands it.
    func fault(_ what: String) -> StoreFault {
        let problem = "\(what): \(call): \(unsafe String(cString: strerror(code)))."
        switch code {
        // A trash without room for a folder is no fault of the configuration either.
        case ENOSPC, EDQUOT, EINTR, EIO, EAGAIN, ESTALE, ETIMEDOUT, ENFILE, EMFILE, ENOMEM, EBUSY, ENXIO, ENODEV,
            ENOTCONN, EHOSTDOWN:
            return StoreFault(.unavailable(retryAfter: nil), problem)
        case ELOOP, ENAMETOOLONG,
            ENOTDIR where call != "open":
            return StoreFault(.invalid(reason: UploadReason.invalidName), problem)
        default:
            return StoreFault(.misconfigured, problem)
        }
    }
}
