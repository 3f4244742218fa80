import Timeline

@testable import Reconciling

/// Judges a finished simulation by what the table and the gateway recorded, knowing nothing of the engine.
struct HistoryChecker {
    private let world: SimulatedWorld
    private let table: SimulatedTable
    private let given: [String: [SimulatedGateway.Given]]

    init(_ world: SimulatedWorld) {
        self.world = world
        table = world.database.perform { table, _ in table }
        given = Dictionary(grouping: world.gateway.given, by: \.row)
    }

    /// What went wrong, in words; nothing if all is well.
    func violations() -> [String] {
        table.rows.keys.sorted().flatMap { id in
            lost(id) + changedTwice(id) + unproved(id) + stale(id) + overlapping(id)
        }
    }

    private func events(_ id: String) -> [SimulatedEvent] { table.log.filter { $0.row == id } }

    /// Each row is at rest, and its status is what the truth and the application's own word lead to.
    private func lost(_ id: String) -> [String] {
        guard let row = table.rows[id], let truth = world.gateway.truth(of: id) else { return ["\(id) is gone"] }
        var found: [String] = []
        if row.nextCheckAt != nil { found.append("\(id) is not at rest: \(row)") }
        let applied = events(id).compactMap { event -> String? in
            if case .applied(let status) = event.kind { status } else { nil }
        }.last
        var allowed: Set<String> = [SimulatedReconciler.statusAfter(applied ?? "pending", truth.answer)]
        if truth.isDuplicate, applied == nil { allowed = ["review"] }
        // A row that a poller died of goes to people; so may any that was in its company too often.
        if row.claimCount == 0, table.history.contains(where: { $0.rowID == id && $0.answer == "POISON" }) {
            allowed = ["review"]
        }
        // Cancelled, asked about before the payment came, and at rest: an application that only cancels is told once.
        if applied == "cancelled" { allowed.insert("cancelled") }
        if truth.isPoison, applied == nil { allowed = ["review"] }
        if !allowed.contains(row.status) { found.append("\(id) is \(row.status), not \(allowed): \(row)") }
        return found
    }

    /// No row is fixed twice.
    private func changedTwice(_ id: String) -> [String] {
        let changes = table.history.filter { $0.rowID == id && $0.statusBefore != $0.statusAfter }
        return changes.count > 1 ? ["\(id) was changed \(changes.count) times: \(changes)"] : []
    }

    /// Each change follows from an answer that was given to the very claim that wrote it, and from the status that it
    /// found: an application's status was never overwritten.
    private func unproved(_ id: String) -> [String] {
        table.history.filter { $0.rowID == id && $0.statusBefore != $0.statusAfter }.compactMap { entry in
            if entry.answer == "POISON" {
                let claims = events(id).filter { if case .claimed = $0.kind { true } else { false } }
                return claims.count >= 6 ? nil : "\(id) was poisoned after \(claims.count) claims"
            }
            let answers = (given[id] ?? []).filter { $0.token == entry.token && $0.at <= entry.at }
            if entry.answer == "DUPLICATE" {
                return answers.contains { $0.answer == .paid } ? nil : "\(id) is a duplicate without an answer"
            }
            let isProved = answers.contains {
                SimulatedReconciler.statusAfter(entry.statusBefore, $0.answer) == entry.statusAfter
            }
            return isProved ? nil : "\(id): no answer proves \(entry)"
        }
    }

    /// Nothing was written by a token other than the row's latest.
    private func stale(_ id: String) -> [String] {
        var latest: Int64 = 0
        var found: [String] = []
        for event in events(id) {
            switch event.kind {
            case .claimed(let token, _): latest = token
            case .settled(let token, _), .renewed(let token, _), .handedBack(let token):
                if token != latest { found.append("\(id) was written by token \(token), its lease is \(latest)") }
            case .applied, .nudged: break
            }
        }
        return found
    }

    /// No two leases of a row overlap.
    private func overlapping(_ id: String) -> [String] {
        var heldUntil: Timestamp?
        var found: [String] = []
        for event in events(id) {
            switch event.kind {
            case .claimed(let token, let until):
                if let held = heldUntil, event.at < held { found.append("\(id) was claimed by \(token) while held") }
                heldUntil = until
            case .renewed(_, let until): heldUntil = until
            case .settled, .handedBack: heldUntil = nil
            case .applied, .nudged: break
            }
        }
        return found
    }
}
