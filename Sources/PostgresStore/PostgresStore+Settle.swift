import Postgres
import Reconciling
import Timeline

extension PostgresStore {
    func settle(_ settlements: [Settlement<String, Change>]) async -> Result<[SettleOutcome], StoreError> {
        guard !settlements.isEmpty else { return .success([]) }
        let result: Result<[SettleOutcome], PostgresError>
        do {
            result = .success(try await pool.query(settleQuery(settlements), Self.readOutcomes))
        } catch {
            result = .failure(error)
        }
        return await isolatingRefusals(of: settlements, in: result)
    }

    /// One row's violation never fails its batch: the batch is halved until the row stands alone.
    func isolatingRefusals(
        of settlements: [Settlement<String, Change>], in result: Result<[SettleOutcome], PostgresError>
    ) async -> Result<[SettleOutcome], StoreError> {
        switch result {
        case .success(let outcomes): return .success(outcomes)
        case .failure(let error):
            guard let refusal = Refusal(error) else { return .failure(StoreError(error)) }
            guard settlements.count > 1 else {
                return .success([refusal.isLockConflict ? .locked : .refused(refusal)])
            }
            let middle = settlements.count / 2
            let first = await settle(Array(settlements[..<middle]))
            let second = await settle(Array(settlements[middle...]))
            // If one half failed for the database's sake, the engine tries all again: what was written is stale then.
            return first.flatMap { outcomes in second.map { outcomes + $0 } }
        }
    }

    func settleQuery(_ settlements: [Settlement<String, Change>]) -> PostgresQuery {
        var parameters: [PostgresParameter] = [
            .text(poller.id), .bool(recordsChecks),
            .textArray(settlements.map { $0.held.id }),
            .int8Array(settlements.map { $0.held.lease.token }),
            .textArray(settlements.map { $0.statusBefore }),
            .timestamptzArray(settlements.map { $0.dueAt }),
            .textArray(settlements.map { $0.verdict.rawValue }),
            .intervalArray(settlements.map { $0.delay }),
            .int4Array(settlements.map { Int32(clamping: $0.failureCount) }),
            .textArray(settlements.map { $0.reason }),
            .jsonbArray(settlements.map { $0.answer }),
            .textArray(settlements.map { $0.error }),
            .jsonbArray(settlements.map { $0.progress }),
            .textArray(settlements.map { $0.contradictedBy.joined(separator: ",") }),
            .int4Array(settlements.map { Int32(clamping: $0.duration.wholeMilliseconds) }),
        ]
        parameters += Table.parameters(for: settlements.map { $0.change })
        if Table.comparesBasis { parameters.append(.jsonbArray(settlements.map { $0.basis })) }
        return PostgresQuery(Table.settle, parameters)
    }

    static func readOutcomes(_ rows: borrowing PostgresRows) throws -> [SettleOutcome] {
        try rows.map { row in
            row.skip()  // the position: the rows come in order
            let outcome = try row.read(String.self)
            let status = try row.read(String.self)
            let dueAt = try row.readOptional(Timestamp.self)
            let lane = try row.readOptional(String.self)
            switch outcome {
            case "written": return .written(status: status, dueAt: dueAt, lane: lane)
            case "overtaken": return .overtaken(status: status, dueAt: dueAt, lane: lane)
            case "locked": return .locked
            default: return .stale
            }
        }
    }
}
