import JSON
import Reconciling

/// What came of a check by hand.
struct CheckReport: Sendable {
    private let id: String
    private let statusBefore: String
    private let conclusion: Conclusion<Never>
    private let outcome: SettleOutcome?
    private let changeReviewReason: String?
    private let isDryRun: Bool
    private let answer: JSONValue?
    /// What a dry run would do besides a change of status.
    private let wouldDo: String?

    init<W: ServedWatch>(_ row: W.Table.R, _ check: OneCheck<W.Table.Change>, watch: W.Type, isDryRun: Bool) {
        let full = check.conclusion
        id = row.id
        statusBefore = row.status
        conclusion = Conclusion(
            full.verdict, next: full.next, reason: full.reason, answer: full.answer, error: full.error)
        outcome = check.outcome
        changeReviewReason = full.change.flatMap(W.reviewReason)
        self.isDryRun = isDryRun
        answer = full.answer.flatMap { try? JSONValue(parsing: $0) }
        wouldDo = isDryRun ? answer?["would"].flatMap(W.effect) : nil
    }

    /// What a dry run held back.
    private var would: JSONValue? { isDryRun ? answer?["would"] : nil }

    private var verdict: String {
        if case .overtaken = outcome { return Verdict.overtaken.rawValue }
        return would?["verdict"]?.string ?? conclusion.verdict.rawValue
    }

    private var reason: String? {
        if let would { return would["reason"]?.string }
        return isDryRun && conclusion.reason == "dry_run" ? nil : conclusion.reason
    }

    private var statusAfter: String {
        switch outcome {
        case .written(let status, _, _), .overtaken(let status, _, _): status
        default: would?["status"]?.string ?? statusBefore
        }
    }

    private var reviewReason: String? { would?["review_reason"]?.string ?? changeReviewReason }

    /// What became of the conclusion, for people.
    private var effect: String {
        if isDryRun {
            if let wouldDo { return "would \(wouldDo)" }
            return statusAfter == statusBefore ? "would keep it \(statusBefore)" : "would make it \(statusAfter)"
        }
        switch outcome {
        case .written(let status, _, _): return status == statusBefore ? "stays \(status)" : "is \(status) now"
        case .overtaken(statusBefore, _, _): return "someone changed it meanwhile; it is asked about again"
        case .overtaken(let status, _, _): return "someone made it \(status) meanwhile; nothing was overwritten"
        case .stale: return "the lease was lost; nothing was changed"
        case .locked: return "the application holds the row; nothing was changed"
        case .refused(let refusal): return "the database refused the result: \(refusal.message)"
        case nil: return "was handed back unchanged"
        }
    }

    func write(asJSON: Bool) {
        guard !asJSON else {
            print(
                JSONText.object([
                    "id": JSONText.quoted(id), "dry_run": isDryRun ? "true" : "false",
                    "verdict": JSONText.quoted(verdict), "reason": JSONText.quoted(reason),
                    "status_before": JSONText.quoted(statusBefore), "status_after": JSONText.quoted(statusAfter),
                    "review_reason": JSONText.quoted(reviewReason), "effect": JSONText.quoted(effect),
                    "error": JSONText.quoted(conclusion.error), "answer": conclusion.answer ?? "null",
                ]))
            return
        }
        print("\(TerminalText.printable(id))  \(verdict)\(reason.map { " \($0)" } ?? "")  \(effect)")
        if let reviewReason, reviewReason != reason { print("review: \(reviewReason)") }
        if let error = conclusion.error { print("error: \(TerminalText.printable(error))") }
        if let answer = conclusion.answer { print("answer: \(TerminalText.printable(answer))") }
    }
}
