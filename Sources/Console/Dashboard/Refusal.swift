import Hummingbird
import JSON
import Postgres

/// What is wrong with what a person asked, in a sentence. Nothing was changed.
struct Refusal {
    var status: HTTPResponse.Status
    var text: String

    /// Nil for what is no fault of what was asked.
    init?(_ error: any Error) {
        switch error {
        case let problem as Problem:
            let detail = [problem.detail, problem.allowed.map { "Allowed: \($0)" }].compactMap(\.self)
            self.init(problem.status, detail.joined(separator: ". "))
        case var error as InputError:
            if error.field == "txn" { error.field = "the transaction" }
            self.init(.unprocessableContent, "\(error)")
        case let conflict as ConflictError: self.init(.conflict, "\(conflict)")
        // No place in a column (class 22), a rule of the table (class 23), or never sent.
        case let error as PostgresError
        where error.code == .parameter || ["22", "23"].contains(error.sqlState?.prefix(2)):
            self.init(.unprocessableContent, "the database refuses a value")
        default: return nil
        }
    }

    private init(_ status: HTTPResponse.Status, _ text: String) {
        self.status = status
        self.text = text.isEmpty ? "This cannot be done." : text.prefix(1).uppercased() + text.dropFirst() + "."
    }
}
