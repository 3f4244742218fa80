extension PostgresError {
    public var classification: Classification {
        switch code {
        case .cancelled, .deadline, .poolClosed: .cancelled
        case .configuration, .decode, .parameter: .permanent
        case .connection, .query:
            // A stale plan is prepared afresh by the next try.
            if isStaleStatement {
                .transient
            } else if let sqlState {
                Self.classification(sqlState: sqlState)
            } else {
                .transient
            }
        }
    }

    /// Sorts SQLSTATEs by whether the same statement may succeed later (PostgreSQL manual, appendix A).
    ///
    /// 57014 is transient here: a cancellation of ours is reported as `.cancelled` or `.deadline`, so a bare 57014 came
    /// from `statement_timeout` or an administrator.
    static func classification(sqlState: String) -> Classification {
        switch sqlState {
        // A lock not at hand, a replica or a server about to fail over, a plan or prepared statement that went stale.
        case "55P03", "55006", "25006", "26000", "42P05", "57014", "57P01", "57P02", "57P03", "57P05", "25P03", "72000":
            return .transient
        default:
            switch sqlState.prefix(2) {
            // Connection, transaction rollback (serialization, deadlock), resources, system and I/O.
            case "08", "40", "53", "58": return .transient
            default: return .permanent
            }
        }
    }
}
