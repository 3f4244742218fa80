/// Tells a lane whose configuration is wrong from a row that is merely odd.
///
/// A 401 says nothing about the row that was asked about: it is handed back as it was, and the lane answers for it. On
/// three different rows with no answer between them the lane is paused; its first answer afterwards ends the pause.
struct LaneGuard<ID: Hashable & Sendable>: Sendable {
    /// Rows that must meet the error before the lane is paused.
    static var rowCountMax: Int { 3 }

    enum Action: Hashable, Sendable {
        case pause(reason: String)
        case resume
    }

    private var rows: Set<ID> = []
    private(set) var isPaused = false

    /// The lane answers wrongly at present: it is claimed gently until it answers.
    var isSuspected: Bool { isPaused || !rows.isEmpty }

    mutating func misconfigured(row: ID, reason: String) -> Action? {
        guard !isPaused else { return nil }
        rows.insert(row)
        guard rows.count >= Self.rowCountMax else { return nil }
        rows = []
        isPaused = true
        return .pause(reason: reason)
    }

    mutating func answered() -> Action? {
        rows = []
        guard isPaused else { return nil }
        isPaused = false
        return .resume
    }

    /// What the store says of the lane: another poller may have paused or resumed it. A pause by a person is none of
    /// the guard's business.
    mutating func observed(pausedForConfiguration: Bool) {
        isPaused = pausedForConfiguration
    }

    /// The store could not be told: start over.
    mutating func forget() {
        rows = []
        isPaused = false
    }
}
