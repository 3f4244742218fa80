/// Which rows of a watch a page is about.
public struct RowFilter: Hashable, Sendable {
    /// Nil: any.
    public var status: String?
    /// Only those due now.
    public var isDue: Bool
    /// The beginning of the id; empty: any.
    public var prefix: String
    /// Rows after this id; empty: from the start.
    public var after: String

    public init(status: String? = nil, isDue: Bool = false, prefix: String = "", after: String = "") {
        self.status = status
        self.isDue = isDue
        self.prefix = prefix
        self.after = after
    }
}

/// Rows of a watch, by id.
public struct RowPage: Hashable, Sendable {
    /// JSON objects.
    public var rows: [String] = []
    /// Where the next page begins, as `RowFilter.after`; nil at the end. There may be one after an empty page: only so many
    /// rows were looked at.
    public var next: String?

    public init(rows: [String] = [], next: String? = nil) {
        self.rows = rows
        self.next = next
    }
}
