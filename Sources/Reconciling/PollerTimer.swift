import Timeline

/// Something that a poller does at a moment of its own.
struct PollerTimer: Comparable, Sendable {
    enum Kind: Hashable, Sendable {
        /// The checks of this scope have had their time.
        case deadline(scope: Int)
        /// They were cancelled and have not concluded.
        case abandon(scope: Int)
        /// The lease with this token wants renewal.
        case renew(token: Int64)
        /// The row with this token was locked by the application.
        case retry(token: Int64)
        /// The row with this token has cooled down, and is given back.
        case handBack(token: Int64)
        /// The lanes are made known again after a failure.
        case register
        /// The shutdown's grace is over.
        case graceEnd
    }

    var moment: Moment
    var kind: Kind

    static func < (a: PollerTimer, b: PollerTimer) -> Bool { a.moment < b.moment }
}
