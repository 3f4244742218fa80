import DequeModule
import Postgres
import PostgresStore
import Synchronization

/// Adds rows of one watch, those that come in while a statement is under way together by the next one: the more are
/// waiting, the less each of them costs the database.
///
/// Whoever finds nobody at work leads: it takes along those who wait, runs the statement, tells them the outcome, and leaves
/// the lead to the next in line. There is no task of its own that could fall behind or outlive them.
final class AddQueue: Sendable {
    static let waitingMax = 4_096
    static let rowsMax = 256
    static let bytesMax = 4 << 20

    private enum Turn: Sendable {
        /// It is this one's turn to run a statement.
        case lead
        case done(Result<AddedRow, PostgresError>)
        /// The statement failed, perhaps for another one's row.
        case alone
    }

    private struct Entry: Sendable {
        var id: String
        var object: String
        var turn: CheckedContinuation<Turn, Never>
    }

    private struct State {
        var isBusy = false
        var waiting: Deque<Entry> = []
    }

    private let desk: any RowDesk
    private let state = Mutex(State())

    init(desk: any RowDesk) {
        self.desk = desk
    }

    /// Adds one row.
    ///
    /// - Parameter object: a JSON object with that id, validated before.
    func add(_ id: String, _ object: String) async throws -> AddedRow {
        switch try await turn(id, object) {
        case .done(let result): return try result.get()
        case .alone: return try await alone(object)
        case .lead: return try await lead(id, object)
        }
    }

    /// For tests of the queue.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    private func turn(_ id: String, _ object: String) async throws -> Turn {
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
                state.waiting.append(Entry(id: id, object: object, turn: turn))
                return false
            }
            if leads { turn.resume(returning: .lead) }
        }
    }

    private func lead(_ id: String, _ object: String) async throws -> AddedRow {
        let followers = followers(of: id, object)
        let outcome: Result<[AddedRow], PostgresError>
        do throws(PostgresError) {
            outcome = .success(try await desk.add("[\(([object] + followers.map(\.object)).joined(separator: ","))]"))
        } catch { outcome = .failure(error) }
        passOn()
        switch outcome {
        case .success(let rows):
            let byID = Dictionary(uniqueKeysWithValues: rows.map { (Array($0.id.utf8), $0) })
            for follower in followers {
                follower.turn.resume(returning: byID[Array(follower.id.utf8)].map { .done(.success($0)) } ?? .alone)
            }
            if let row = byID[Array(id.utf8)] { return row }
            return try await alone(object)
        case .failure(let error):
            // Of a refused statement, and of one that was cancelled with its leader, each tries its own part.
            let isOfOne = error.code == .cancelled || error.classification == .permanent
            for follower in followers {
                follower.turn.resume(returning: isOfOne ? .alone : .done(.failure(error)))
            }
            guard isOfOne, !followers.isEmpty else { throw error }
            return try await alone(object)
        }
    }

    /// Takes out those that fit into one statement with the leader's row: each id once.
    private func followers(of id: String, _ object: String) -> [Entry] {
        state.withLock { state in
            var ids: Set<String> = [id]
            var bytes = object.utf8.count
            var taken: [Entry] = []
            var left: Deque<Entry> = []
            for entry in state.waiting {
                let size = entry.object.utf8.count
                if taken.count < Self.rowsMax - 1, bytes + size <= Self.bytesMax, ids.insert(entry.id).inserted {
                    bytes += size
                    taken.append(entry)
                } else {
                    left.append(entry)
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

    private func alone(_ object: String) async throws -> AddedRow {
        guard let row = try await desk.add("[\(object)]").first else {
            preconditionFailure("the statement has a result for each row")
        }
        return row
    }
}
