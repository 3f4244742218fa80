/// One thing that waits: a row of a watched table, as the claim read it.
public protocol Row: Sendable, Identifiable where ID: Sendable & Comparable & CustomStringConvertible {
    /// What the row depends on; lanes are isolated from each other.
    var lane: String { get }
    /// The business status that a settle compares before it writes.
    var status: String { get }
}
