import Logging
import Postgres
import Reconciling
import Schema
import Timeline

/// The engine's store on PostgreSQL, for one poller and one watch.
public final class PostgresStore<Table: WatchTable>: Store {
    public typealias R = Table.R
    public typealias Change = Table.Change

    let pool: PostgresPool
    let poller: PollerIdentity
    let recordsChecks: Bool
    let logger: Logger
    private let wakeupStream: AsyncStream<Wakeup>

    /// - Parameters:
    ///   - listener: tells of rows that became due sooner; nil leaves it to polling.
    ///   - poller: of this watch alone; see `PollerIdentity.poller(of:)`.
    ///   - recordsChecks: whether each check's answer is kept in `checks`.
    public init(
        pool: PostgresPool, listener: WakeupListener?, poller: PollerIdentity, recordsChecks: Bool = true,
        logger: Logger
    ) {
        self.pool = pool
        self.poller = poller
        self.recordsChecks = recordsChecks
        self.logger = logger
        wakeupStream = listener?.wakeups(of: Table.watch) ?? AsyncStream { $0.finish() }
    }

    public func wakeups() -> AsyncStream<Wakeup> { wakeupStream }

    public func exchange(_ request: Exchange<R, Change>) async -> ExchangeResult<R> {
        guard let claim = request.claim else {
            return ExchangeResult(settled: await settle(request.settlements), claimed: nil)
        }
        let claimQuery = claimQuery(claim)
        guard !request.settlements.isEmpty else {
            return ExchangeResult(
                settled: .success([]), claimed: await isolatingRefusals(of: claim, in: await self.claimed(claimQuery)))
        }
        let (settled, claimed) = await pool.pipeline(
            settleQuery(request.settlements), Self.readOutcomes, claimQuery, Self.readClaimed)
        return ExchangeResult(
            settled: await isolatingRefusals(of: request.settlements, in: settled),
            claimed: await isolatingRefusals(of: claim, in: claimed))
    }

    func claimQuery(_ claim: ClaimRequest<String>) -> PostgresQuery {
        PostgresQuery(
            Table.claim,
            [
                .text(poller.id), .interval(claim.lease),
                .textArray(claim.quotas.map(\.lane)), .int4Array(claim.quotas.map { Int32(clamping: $0.count) }),
                .timestamptzArray(claim.quotas.map { $0.from?.dueAt ?? .distantPast }),
                .textArray(claim.quotas.map { $0.from?.id ?? "" }),
                .boolArray(claim.quotas.map(\.includesSuspects)),
            ])
    }

    static func readClaimed(_ rows: borrowing PostgresRows) throws -> Claimed<R> {
        var claims: [Claim<R>] = []
        claims.reserveCapacity(rows.count)
        var horizons: [String: LaneHorizon] = [:]
        _ = try rows.map { row in
            let lane = try row.read(String.self)
            let nextDueIn = try row.readOptional(Duration.self)
            let paused = try row.read(Bool.self)
            let pausedBy = try row.readOptional(String.self)
            let reason = try row.readOptional(String.self)
            if horizons[lane] == nil {
                let pause = paused ? LanePause(by: pausedBy, reason: reason ?? "") : nil
                horizons[lane] = LaneHorizon(lane: lane, nextDueIn: nextDueIn, pause: pause)
            }
            let claimedAt = try row.read(Timestamp.self)
            if row.isNull { return }  // a lane without a claimed row
            claims.append(try Table.readClaim(lane: lane, claimedAt: claimedAt, from: &row))
        }
        return Claimed(claims: claims, horizons: Array(horizons.values))
    }

    /// Runs `body` with the database's errors as the store's.
    func captured<T>(_ body: () async throws(PostgresError) -> T) async -> Result<T, StoreError> {
        do {
            return .success(try await body())
        } catch {
            return .failure(StoreError(error))
        }
    }
}
