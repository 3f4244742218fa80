import JSON
import Payments
import Reconciling

/// What came of a check by hand.
struct CheckReport: Sendable {
    let order: Order
    let check: OneCheck<OrderChange>
    let isDryRun: Bool

    private var answer: JSONValue? {
        guard let text = check.conclusion.answer else { return nil }
        return try? JSONValue(parsing: text)
    }

    /// What a dry run held back.
    private var would: JSONValue? { isDryRun ? answer?["would"] : nil }

    private var verdict: String {
        if case .overtaken = check.outcome { return Verdict.overtaken.rawValue }
        return would?["verdict"]?.string ?? check.conclusion.verdict.rawValue
    }

    private var reason: String? {
        if let would { return would["reason"]?.string }
        return isDryRun && check.conclusion.reason == "dry_run" ? nil : check.conclusion.reason
    }

    private var statusAfter: String {
        switch check.outcome {
        case .written(let status), .overtaken(let status): status
        default: would?["status"]?.string ?? order.status
        }
    }

    private var reviewReason: String? {
        would?["review_reason"]?.string ?? check.conclusion.change?.reviewReason
    }

    /// What became of the conclusion, for people.
    private var effect: String {
        if isDryRun {
            if would?["close_at_gateway"]?.bool == true { return "would close it at the gateway and ask again" }
            return statusAfter == order.status ? "would keep it \(order.status)" : "would make it \(statusAfter)"
        }
        switch check.outcome {
        case .written(let status): return status == order.status ? "stays \(status)" : "is \(status) now"
        case .overtaken(let status): return "someone made it \(status) meanwhile; nothing was overwritten"
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
                    "id": JSONText.quoted(order.id), "dry_run": isDryRun ? "true" : "false",
                    "verdict": JSONText.quoted(verdict), "reason": JSONText.quoted(reason),
                    "status_before": JSONText.quoted(order.status), "status_after": JSONText.quoted(statusAfter),
                    "review_reason": JSONText.quoted(reviewReason), "effect": JSONText.quoted(effect),
                    "error": JSONText.quoted(check.conclusion.error), "answer": check.conclusion.answer ?? "null",
                ]))
            return
        }
        print("\(TerminalText.printable(order.id))  \(verdict)\(reason.map { " \($0)" } ?? "")  \(effect)")
        if let reviewReason, reviewReason != reason { print("review: \(reviewReason)") }
        if let error = check.conclusion.error { print("error: \(TerminalText.printable(error))") }
        if let answer = check.conclusion.answer { print("answer: \(TerminalText.printable(answer))") }
    }
}
