import DequeModule
import Postgres
import PostgresStore
import Synchronization

/// Adds rows of one watch, those of one actor that come in while a statement is under way together by the next one: the
/// more are waiting, the less each of them costs the database.
///
/// Whoever finds nobody at work leads: it takes along those who wait, runs the statement, tells them the outcome, and leaves
/// the lead to the next in line. There is no task of its own that could fall behind or outlive them.
final class AddQueue: Sendable {
    static let waitingMax = 4_096
    static let rowsMax = 256
    /// From so many on, a statement costs little more for each of its rows than a longer one.
    static let rowsEnough = 8
    static let bytesMax = 4 << 20

    private enum Turn: Sendable {
        /// It is this one's turn to run a statement.
        case lead
        case done(Result<AddedRow, PostgresError>)
        /// The statement failed, perhaps for another one's row.
        case alone
    }

    struct Row: Sendable {
        var id: String
        /// As a JSON object with that id, validated before.
        var object: String
        /// Whose name stands in `history`.
        var actor: String
    }

    private struct Waiter: Sendable {
        var row: Row
        var turn: CheckedContinuation<Turn, Never>
    }

    private struct State {
        var isBusy = false
        var waiting: Deque<Waiter> = []
    }

    private let desk: @Sendable (_ actor: String) -> any RowDesk
    private let state = Mutex(State())

    init(desk: @escaping @Sendable (_ actor: String) -> any RowDesk) {
        self.desk = desk
    }

    func add(_ row: Row) async throws -> AddedRow {
        switch try await turn(row) {
        case .done(let result): return try result.get()
        case .alone: return try await alone(row)
        case .lead: return try await lead(row)
        }
    }

    /// For tests of the queue.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    private func turn(_ row: Row) async throws -> Turn {
        let leads = try state.withLock { state throws(Problem) -> Bool in
            guard state.isBusy else {
                state.isBusy = true
                return true
            }
            guard state.waiting.count < Self.waitingMax else {
                throw Problem(
                    .serviceUnavailable, "too many rows wait to be added", headers: [.retryAfter: "1"])
            }
            return false
        }
        if leads { return .lead }
        return await withCheckedContinuation { turn in
            // The one at work may have finished in between.
            let leads = state.withLock { state in
                guard state.isBusy else {
                    state.isBusy = true
                    return true
                }
                state.waiting.append(Waiter(row: row, turn: turn))
                return false
            }
            if leads { turn.resume(returning: .lead) }
        }
    }

    private func lead(_ row: Row) async throws -> AddedRow {
        // Requests that are being read already come along.
        await Task.yield()
        let followers = followers(of: row)
        let objects = ([row] + followers.map(\.row)).map(\.object).joined(separator: ",")
        let outcome: Result<[AddedRow], PostgresError>
        do throws(PostgresError) {
            outcome = .success(try await desk(row.actor).add("[\(objects)]"))
        } catch { outcome = .failure(error) }
        passOn()
        switch outcome {
        case .success(let rows):
            let byID = Dictionary(uniqueKeysWithValues: rows.map { (Array($0.id.utf8), $0) })
            for follower in followers {
                follower.turn.resume(returning: byID[Array(follower.row.id.utf8)].map { .done(.success($0)) } ?? .alone)
            }
            if let added = byID[Array(row.id.utf8)] { return added }
            return try await alone(row)
        case .failure(let error):
            // Of a refused statement, and of one that was cancelled with its leader, each tries its own part.
            let isOfOne = error.code == .cancelled || error.classification == .permanent
            for follower in followers {
                follower.turn.resume(returning: isOfOne ? .alone : .done(.failure(error)))
            }
            guard isOfOne, !followers.isEmpty else { throw error }
            return try await alone(row)
        }
    }

    /// Takes out those of the leader's actor that fit into one statement with its row: each id once.
    ///
    /// Of many no more than half of the actor's: while the database works on them the others are read and answered.
    /// With all of them in one statement the database and who reads requests would wait for each other in turn.
    private func followers(of row: Row) -> [Waiter] {
        state.withLock { state in
            // Those of others wait for statements of their own, and make this one's half no larger.
            let ownCount = state.waiting.count { $0.row.actor == row.actor }
            let share = min(Self.rowsMax, max(Self.rowsEnough, ownCount / 2))
            var ids: Set<String> = [row.id]
            var bytes = row.object.utf8.count
            var taken: [Waiter] = []
            var left: Deque<Waiter> = []
            for waiter in state.waiting {
                let size = waiter.row.object.utf8.count
                if waiter.row.actor == row.actor, taken.count < share - 1, bytes + size <= Self.bytesMax,
                    ids.insert(waiter.row.id).inserted
                {
                    bytes += size
                    taken.append(waiter)
                } else {
                    left.append(waiter)
                }
            }
            state.waiting = left
            return taken
        }
    }

    private func passOn() {
        let next = state.withLock { state in
            let next = state.waiting.popFirst()
            if next == nil { state.isBusy = false }
            return next
        }
        next?.turn.resume(returning: .lead)
    }

    private func alone(_ row: Row) async throws -> AddedRow {
        guard let added = try await desk(row.actor).add("[\(row.object)]").first else {
            preconditionFailure("the statement has a result for each row")
        }
        return added
    }
}
