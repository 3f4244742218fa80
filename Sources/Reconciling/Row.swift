/// One thing that waits: a row of a watched table, as the claim read it.
public protocol Row: Sendable, Identifiable where ID: Sendable & Comparable & CustomStringConvertible {
    /// What the row depends on; lanes are isolated from each other.
    var lane: String { get }
    /// The business status that a settle compares before it writes.
    var status: String { get }
    /// What else a settle compares before it writes, as a JSON object by column name: where the row says something else
    /// meanwhile, what was found out is about something else. Nil: nothing.
    var basis: String? { get }
}

extension Row {
    public var basis: String? { nil }
}
