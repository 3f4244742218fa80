import Logging
import Postgres
import Reconciling
import Timeline

extension PostgresStore {
    /// Rows that may refuse, in one lane and claim: what is due behind more of them is not found.
    private static var refusalsMax: Int { 1_000 }
    private static var placesMax: Int { 100 }

    func claimed(_ query: PostgresQuery) async -> Result<Claimed<R>, PostgresError> {
        do { return .success(try await pool.query(query, Self.readClaimed)) } catch { return .failure(error) }
    }

    /// A row may refuse to be written at all: a constraint came that it violates, a trigger raises. It keeps no other from
    /// being claimed: its lane is claimed apart from the others, and there row by row. A lane of which nothing was learnt
    /// has no horizon.
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
        var part = Claimed<R>(claims: [], horizons: [])
        var one = quota
        one.count = 1
        var refused: (first: String, error: PostgresError, count: Int)?
        defer {
            if let refused {
                logger.error(
                    "rows refuse to be claimed",
                    metadata: [
                        "lane": "\(quota.lane)", "rows": "\(refused.count)", "first": "\(refused.first)",
                        "error": "\(refused.error)",
                    ])
            }
        }
        var places = try await duePlaces(quota.lane, from: quota.from)[...]
        while let place = places.popFirst(), part.claims.count < quota.count {
            one.from = place
            switch await claimed(claimQuery(ClaimRequest(lease: lease, quotas: [one]))) {
            case .success(let found):
                part.claims += found.claims
                part.horizons = found.horizons
                // A suspect is claimed alone, so that what it does to a poller is done to it alone.
                if found.claims.contains(where: \.isSuspect) { return part }
                if !found.claims.isEmpty { one.includesSuspects = false }
            case .failure(let error) where Self.isRefusal(error):
                refused = (refused?.first ?? place.id, error, (refused?.count ?? 0) + 1)
                guard places.isEmpty, part.claims.isEmpty, refused?.count ?? 0 < Self.refusalsMax else { break }
                places = try await duePlaces(quota.lane, from: place).dropFirst()
            case .failure(let error):
                guard !part.claims.isEmpty else { throw error }
                return part
            }
        }
        return part
    }

    private func duePlaces(
        _ lane: String, from bound: ClaimBound<String>?
    ) async throws(PostgresError) -> [ClaimBound<String>] {
        let query = PostgresQuery(
            Table.due,
            [
                .text(lane), .timestamptz(bound?.dueAt ?? .distantPast), .text(bound?.id ?? ""),
                .int4(Int32(clamping: Self.placesMax)),
            ])
        return try await pool.query(query) { rows in
            try rows.map { row in ClaimBound(dueAt: try row.read(), id: try row.read()) }
        }
    }
}
