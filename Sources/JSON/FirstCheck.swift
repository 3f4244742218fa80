import Timeline

/// When a row that is handed in is checked first.
public enum FirstCheck: Hashable, Sendable {
    /// As the table does by default: soon.
    case byDefault
    /// Not before someone makes it due.
    case never
    case at(Timestamp)
}
