import Glibc

extension Timestamp {
    /// This machine's clock, to the millisecond: for people, logs and files. Stored times come from the database.
    public static var wallClock: Timestamp {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000_000 * 1_000)
    }
}
