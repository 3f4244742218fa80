import Reconciling
import Timeline

/// A row as a claim read it.
struct SimulatedRow: Row, Hashable {
    var id: String
    var lane: String
    var status: String
}

/// What a settle writes to it.
struct SimulatedChange: Hashable, Sendable {
    var status: String
    /// As if a unique constraint held against it.
    var isRefused = false
}

/// A row with all its columns.
struct SimulatedColumns: Sendable {
    var id: String
    var lane: String
    var status: String
    var nextCheckAt: Timestamp?
    var checkCount = 0
    var failureCount = 0
    var claimCount = 0
    var leaseToken: Int64?
    var leaseExpiresAt: Timestamp?
    var leasedBy: String?
    var progress: String?
    var lastVerdict: String?
    var lastError: String?
    var lastCheckedAt: Timestamp?
    var createdAt: Timestamp
    /// An application's transaction holds the row's lock.
    var isLocked = false
}

/// One row of `history`, with what the checker of histories needs besides.
struct SimulatedHistory: Sendable {
    var rowID: String
    var at: Timestamp
    var token: Int64
    var verdict: Verdict
    var statusBefore: String
    var statusAfter: String
    var answer: String?
}

struct SimulatedLane: Sendable {
    var pause: LanePause?
    var probeAt: Timestamp?
    /// The place of the row that was probed last.
    var probed: (Timestamp, String)?
    var holdUntil: Timestamp?
}

/// Something that happened to a row in the table.
struct SimulatedEvent: Sendable {
    enum Kind: Hashable, Sendable {
        case claimed(token: Int64, until: Timestamp)
        case renewed(token: Int64, until: Timestamp)
        case settled(token: Int64, rests: Bool)
        case handedBack(token: Int64)
        /// The application wrote this status.
        case applied(status: String)
        /// The application made the row due.
        case nudged
    }

    var at: Timestamp
    var row: String
    var kind: Kind
}

/// Faults that a store could have, to prove that they would be found.
struct Flaws: OptionSet, Sendable {
    let rawValue: Int

    /// Writes whatever token a settlement carries.
    static let noFence = Flaws(rawValue: 1)
    /// Does not compare the status.
    static let noCompare = Flaws(rawValue: 2)
    /// Schedules by the verdict even if the application wrote `next_check_at` meanwhile.
    static let losesNudges = Flaws(rawValue: 4)
    /// Claims rows that are held.
    static let claimsHeld = Flaws(rawValue: 8)
    /// A lapsed lease holds for ever.
    static let keepsLapsed = Flaws(rawValue: 16)
}
