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
    /// range (22), a view's check option (44) or an exception of a trigger (P0).
    package init?(_ error: PostgresError) {
        guard let code = error.sqlState, ["22", "23", "44", "P0"].contains(code.prefix(2)) else { return nil }
        self.init(code: code, constraint: error.constraint, message: error.message)
    }
}
