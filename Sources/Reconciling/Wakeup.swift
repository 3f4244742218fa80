import Timeline

/// Rows of a lane became due sooner than the engine may know.
public struct Wakeup: Hashable, Sendable {
    /// Nil: any lane's.
    public var lane: String?
    /// None of them is due before, by the database's clock. Nil: they were made due at present.
    public var dueFrom: Timestamp?

    public init(lane: String?, dueFrom: Timestamp? = nil) {
        self.lane = lane
        self.dueFrom = dueFrom
    }
}
