import CLibpq

/// What a wait on a socket and a wake-up waits for, or found.
struct Readiness: OptionSet {
    let rawValue: CInt

    static let readable = Readiness(rawValue: CInt(RECONCILED_READABLE))
    static let writable = Readiness(rawValue: CInt(RECONCILED_WRITABLE))

    /// Waits up to `timeoutMilliseconds`; nil when waiting itself failed, empty when nothing happened or `wakeup` came.
    static func poll(
        _ socket: CInt, for wanted: Readiness, _ wakeup: Wakeup, timeoutMilliseconds: CInt
    ) -> Readiness? {
        let flags = reconciled_wait(socket, wanted.rawValue, wakeup.descriptor, timeoutMilliseconds)
        return flags < 0 ? nil : Readiness(rawValue: flags).intersection(wanted)
    }
}
