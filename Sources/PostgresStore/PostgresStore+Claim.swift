import JSON
import Logging
import Postgres
import Reconciling
import Timeline

extension PostgresStore {
    /// Rows that are looked at one by one in a lane where one refuses to be claimed.
    private static var isolatedMax: Int { 100 }

    func claimed(_ query: PostgresQuery) async -> Result<Claimed<R>, PostgresError> {
        do { return .success(try await pool.query(query, Self.readClaimed)) } catch { return .failure(error) }
    }

    /// A row may refuse to be written at all: a constraint came that it violates, a trigger raises. It keeps no other from
    /// being claimed: its lane is claimed apart from the others, and there row by row.
    func isolatingRefusals(
        of claim: ClaimRequest<String>, in result: Result<Claimed<R>, PostgresError>
    ) async -> Result<Claimed<R>, StoreError> {
        guard case .failure(let error) = result, Self.isRefusal(error) else { return result.mapError(StoreError.init) }
        var all = Claimed<R>(claims: [], horizons: [])
        for quota in claim.quotas {
            do throws(PostgresError) {
                let part = try await claimAroundRefusals(quota, lease: claim.lease)
                all.claims += part.claims
                all.horizons += part.horizons
            } catch {
                // What was claimed before is the engine's to check.
                guard !all.claims.isEmpty else { return .failure(StoreError(error)) }
                break
            }
        }
        return .success(all)
    }

    private static func isRefusal(_ error: PostgresError) -> Bool {
        Refusal(error).map { !$0.isLockConflict } ?? false
    }

    private func claimAroundRefusals(
        _ quota: LaneQuota<String>, lease: Duration
    ) async throws(PostgresError) -> Claimed<R> {
        let whole = await claimed(claimQuery(ClaimRequest(lease: lease, quotas: [quota])))
        if case .failure(let error) = whole, Self.isRefusal(error) {} else { return try whole.get() }
        var part = Claimed<R>(claims: [], horizons: [LaneHorizon(lane: quota.lane, nextDueIn: nil)])
        for place in try await duePlaces(quota) where part.claims.count < quota.count {
            var one = quota
            (one.count, one.from) = (1, place)
            switch await claimed(claimQuery(ClaimRequest(lease: lease, quotas: [one]))) {
            case .success(let found):
                part.claims += found.claims
                part.horizons = found.horizons
            case .failure(let error) where Self.isRefusal(error):
                logger.error(
                    "a row refuses to be claimed",
                    metadata: ["row": "\(place.id)", "lane": "\(quota.lane)", "error": "\(error)"])
            case .failure(let error):
                guard !part.claims.isEmpty else { throw error }
                return part
            }
        }
        return part
    }

    /// Where the lane's rows are that are due longest, held ones as well.
    private func duePlaces(_ quota: LaneQuota<String>) async throws(PostgresError) -> [ClaimBound<String>] {
        let query = PostgresQuery(
            Table.desk.oldestDue, [.textArray([quota.lane]), .int4(Int32(clamping: Self.isolatedMax))])
        let texts = try await pool.query(query) { rows in try rows.map { row in try row.read(String.self) } }
        return texts.compactMap { text in
            guard let row = try? JSONValue(parsing: Array(text.utf8)), let dueText = row["next_check_at"]?.string,
                let dueAt = Timestamp(dueText), let id = row["id"]?.string ?? row["id"]?.text
            else { return nil }
            return ClaimBound(dueAt: dueAt, id: id)
        }
    }
}
