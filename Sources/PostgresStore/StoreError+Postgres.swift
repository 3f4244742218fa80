import Postgres
import Reconciling

extension StoreError {
    package init(_ error: PostgresError) {
        let code: Code =
            switch error.classification {
            case .transient: .transient
            case .cancelled: .cancelled
            case .permanent: .permanent
            }
        self.init(code, sqlState: error.sqlState, message: error.description)
    }
}

extension Refusal {
    /// Nil when the error is not one row's fault. A row's fault is a violated constraint (class 23), a value out of
    /// range (22) or too large (54), a view's check option (44), an exception of a user's trigger (P0, or a class that
    /// PostgreSQL does not have), or a parameter that could not be sent.
    package init?(_ error: PostgresError) {
        let code = error.sqlState ?? ""
        let isRowsFault =
            ["22", "23", "44", "54", "P0"].contains(code.prefix(2)) || error.code == .parameter
            || (!code.isEmpty && !Self.classesOfPostgres.contains(String(code.prefix(2))))
            || Self.isLockConflict(code)
        guard isRowsFault else { return nil }
        self.init(code: code, constraint: error.constraint, message: error.message)
    }

    /// Lock timeout or deadlock: someone else's transaction is in the way of this row.
    package var isLockConflict: Bool { Self.isLockConflict(code) }

    private static func isLockConflict(_ code: String) -> Bool { code == "55P03" || code == "40P01" }

    /// PostgreSQL 18, appendix A.
    private static let classesOfPostgres: Set<String> = [
        "00", "01", "02", "03", "08", "09", "0A", "0B", "0F", "0L", "0P", "0Z", "10", "20", "21", "22", "23", "24",
        "25",
        "26", "27", "28", "2B", "2D", "2F", "34", "38", "39", "3B", "3D", "3F", "40", "42", "44", "53", "54", "55",
        "57",
        "58", "72", "F0", "HV", "P0", "XX",
    ]
}
