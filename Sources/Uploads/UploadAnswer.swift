import JSON
import Reconciling

/// What a check learned and did, as `checks.answer` and `history.answer` keep it: no secrets, and bounded.
struct UploadAnswer {
    private var inventory: Inventory?
    private var done: [String] = []
    private var publication: Publication?
    private var outcome: String?
    private var detail: JSONValue?
    private var problem: String?
    private var bytes: [(name: String, bytes: Int64)] = []

    mutating func add(_ action: UploadAction, _ finding: UploadFinding) {
        done.append(action.rawValue)
        switch finding {
        case .inventory(let inventory): self.inventory = inventory
        case .merge(let outcome): add(outcome)
        case .proof(.complete(let publication)):
            outcome = "complete"
            self.publication = publication
        case .proof(.incomplete): outcome = "incomplete"
        case .proof(.different(_, let detail)): set("different", detail)
        case .proof(.undecided(let detail)): set("undecided", detail)
        case .reclaimed(let count): bytes.append(("reclaimed_bytes", count))
        case .discarded(let discarded): bytes.append(("discarded_bytes", discarded.bytes))
        case .restored(let count): if let count { bytes.append(("restored_bytes", count)) }
        case .purged(let count): bytes.append(("purged_bytes", count))
        case .fault(let fault): add(fault)
        }
    }

    private mutating func add(_ outcome: MergeOutcome) {
        switch outcome {
        case .published(let publication):
            self.outcome = "published"
            self.publication = publication
        case .chunksChanged: self.outcome = "chunks_changed"
        case .targetExists(let detail): set("target_exists", detail)
        case .digestMismatch(let detail): set("digest_mismatch", detail)
        case .sizeMismatch(let detail): set("size_mismatch", detail)
        case .noSpace(let neededBytes, let freeBytes):
            self.outcome = "no_space"
            bytes += [("needed_bytes", neededBytes), ("free_bytes", freeBytes)]
        case .interrupted: self.outcome = "interrupted"
        case .fault(let fault): add(fault)
        }
    }

    private mutating func set(_ outcome: String, _ detail: JSONValue) {
        self.outcome = outcome
        self.detail = detail
    }

    private mutating func add(_ fault: StoreFault) {
        problem = fault.problem
        outcome =
            switch fault.kind {
            case .unavailable: "unavailable"
            case .misconfigured: "misconfigured"
            case .unreadable: "unreadable"
            case .invalid: "invalid"
            case .interrupted: "interrupted"
            }
    }

    /// Nil if nothing was asked and nothing would have been done.
    func json(_ decision: UploadDecision) -> String? {
        guard !done.isEmpty || decision.would != nil else { return nil }
        var object = inventory?.jsonObject ?? JSONObjectText()
        object.add("done", done)
        object.add("outcome", outcome)
        object.add("location", publication?.location)
        object.add("etag", publication?.etag)
        object.add("bytes", publication?.bytes)
        for (name, count) in bytes { object.add(name, count) }
        object.add("detail", json: detail)
        object.add("problem", problem)
        if let would = decision.would {
            var undone = JSONObjectText()
            undone.add("verdict", would.verdict?.rawValue)
            undone.add("reason", would.reason)
            undone.add("status", would.status)
            undone.add("review_reason", would.reviewReason)
            undone.add("action", would.action?.rawValue)
            object.add("would", object: undone)
        }
        return object.text
    }
}
