import Glibc

/// How many files and sockets this process may have open. Systems give a process 1,024 unless it asks for more.
enum OpenFilesLimit {
    /// Enough for all who may listen, and for every check.
    private static let wanted: rlim_t = 65_536

    /// Asks for as many as the system allows it, up to what could ever be needed.
    static func raise() {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < wanted else {
            return
        }
        limit.rlim_cur = min(wanted, limit.rlim_max)
        // Refused, it goes on with what it has.
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
