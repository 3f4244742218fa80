import JSON
import Postgres
import PostgresStore
import Synchronization
import TestSupport
import Testing

@testable import Console

/// Rows that come in at one time share a statement, and none of them another one's fate.
@Suite struct AddQueueTests {
    @Test func thoseWhoWaitShareAStatement() async throws {
        let desk = GatedDesk()
        let queue = AddQueue(desk: { _ in desk })
        try await withThrowingTaskGroup(of: AddedRow.self) { group in
            group.addTask { try await queue.add(Self.row("first")) }
            try await eventually("the first statement is under way") { desk.batches.count == 1 }
            for id in ["a", "b", "a", "c"] { group.addTask { try await queue.add(Self.row(id)) } }
            try await eventually("they wait") { queue.waitingCount == 4 }
            desk.open()
            let rows = try await group.reduce(into: []) { $0.append($1.id) }
            #expect(rows.sorted() == ["a", "a", "b", "c", "first"])
        }
        #expect(desk.batches.count == 3)
        #expect(Set(desk.batches[1]) == ["a", "b", "c"])
        // An id stands in a statement once.
        #expect(desk.batches[2] == ["a"])
    }

    /// The database works on one half while the other one's requests are read and answered.
    @Test func ofManyHalfGoAlong() async throws {
        let desk = GatedDesk()
        let queue = AddQueue(desk: { _ in desk })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await queue.add(Self.row("first")) }
            try await eventually("the first statement is under way") { desk.batches.count == 1 }
            for number in 0..<40 { group.addTask { _ = try await queue.add(Self.row("row-\(number)")) } }
            try await eventually("they wait") { queue.waitingCount == 40 }
            desk.open()
            try await group.waitForAll()
        }
        let counts = desk.batches.map(\.count)
        #expect(counts.reduce(0, +) == 41)
        #expect(counts.dropFirst().first == 19)
        // Few are not divided further.
        #expect(counts.filter { $0 < AddQueue.rowsEnough }.count <= 2)
    }

    /// Whoever waits for another actor's statement makes this one no longer.
    @Test func theHalfIsOfTheActorsOwn() async throws {
        let (ada, grace) = (GatedDesk(), GatedDesk())
        let queue = AddQueue(desk: { actor in actor == "ada" ? ada : grace })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await queue.add(Self.row("first")) }
            try await eventually("the first statement is under way") { ada.batches.count == 1 }
            for number in 0..<40 {
                for actor in ["ada", "grace"] {
                    group.addTask { _ = try await queue.add(Self.row("\(actor)-\(number)", by: actor)) }
                }
            }
            try await eventually("they wait") { queue.waitingCount == 80 }
            grace.open()
            ada.open()
            try await group.waitForAll()
        }
        let counts = (ada.batches + grace.batches).map(\.count)
        #expect(counts.reduce(0, +) == 81)
        #expect(counts.max() == 19)
    }

    @Test func eachActorsRowsAreAddedInItsName() async throws {
        let desks = ["ada": GatedDesk(), "grace": GatedDesk()]
        let queue = AddQueue(desk: { actor in desks[actor] ?? GatedDesk() })
        let (ada, grace) = (try #require(desks["ada"]), try #require(desks["grace"]))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await queue.add(Self.row("first")) }
            try await eventually("the first statement is under way") { ada.batches.count == 1 }
            for (id, actor) in [("a", "ada"), ("b", "grace"), ("c", "ada"), ("d", "grace")] {
                group.addTask { _ = try await queue.add(Self.row(id, by: actor)) }
            }
            try await eventually("they wait") { queue.waitingCount == 4 }
            grace.open()
            ada.open()
            try await group.waitForAll()
        }
        #expect(Set(ada.batches.joined()) == ["first", "a", "c"])
        #expect(Set(grace.batches.joined()) == ["b", "d"])
    }

    @Test func aRefusedRowTakesNoOtherWithIt() async throws {
        let desk = GatedDesk(refused: ["bad"])
        let queue = AddQueue(desk: { _ in desk })
        try await withThrowingTaskGroup(of: (String, String).self) { group in
            func add(_ id: String) {
                group.addTask {
                    do {
                        return (id, try await queue.add(Self.row(id)).outcome.rawValue)
                    } catch let error as PostgresError {
                        return (id, error.sqlState ?? "")
                    }
                }
            }
            add("first")
            try await eventually("the first statement is under way") { desk.batches.count == 1 }
            for id in ["a", "bad", "b"] { add(id) }
            try await eventually("they wait") { queue.waitingCount == 3 }
            desk.open()
            let outcomes = try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            #expect(outcomes == ["first": "added", "a": "added", "b": "added", "bad": "23505"])
        }
    }

    @Test func aLeaderThatIsCancelledLeavesTheOthersTheirs() async throws {
        let desk = GatedDesk()
        let queue = AddQueue(desk: { _ in desk })
        try await withThrowingTaskGroup(of: String.self) { group in
            group.addTask {
                // Cancelled while its statement is under way, with another one waiting.
                try await withThrowingTaskGroup(of: Void.self) { leader in
                    leader.addTask { _ = try await queue.add(Self.row("leader")) }
                    try await eventually("the other one waits") { queue.waitingCount == 1 }
                    leader.cancelAll()
                    await #expect(throws: PostgresError.self) { try await leader.waitForAll() }
                }
                return "cancelled"
            }
            try await eventually("the leader's statement is under way") { desk.batches.count == 1 }
            group.addTask { try await queue.add(Self.row("other")).id }
            try await eventually("the leader is gone") { desk.batches.count == 2 }
            desk.open()
            #expect(try await group.reduce(into: []) { $0.append($1) }.sorted() == ["cancelled", "other"])
        }
        // The next one finds nobody at work.
        #expect(try await queue.add(Self.row("next")).outcome == .added)
    }

    @Test func concurrentPutsOfOneIDAddItOnce() async throws {
        try await APIScene.with { api in
            let statuses = try await withThrowingTaskGroup(of: UInt.self) { group in
                for index in 0..<60 {
                    group.addTask {
                        try await api.ask(.PUT, "/v1/orders/o\(index % 3)", json: APIScene.order).status
                    }
                }
                return try await group.reduce(into: [UInt: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [201: 3, 200: 57])
            // A row that breaks a rule of the table, among others that do not.
            let name = #"{"store":"media","name":"same.bin","total_bytes":1,"chunk_bytes":1}"#
            let uploads = try await withThrowingTaskGroup(of: UInt.self) { group in
                for index in 0..<20 {
                    let body = index.isMultiple(of: 2) ? name : name.replacing("same", with: "own\(index)")
                    group.addTask { try await api.ask(.PUT, "/v1/uploads/u\(index)", json: body).status }
                }
                return try await group.reduce(into: [UInt: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(uploads == [201: 11, 409: 9])
        }
    }

    private static func row(_ id: String, by actor: String = "ada") -> AddQueue.Row {
        AddQueue.Row(id: id, object: #"{"id":"\#(id)"}"#, actor: actor)
    }
}

/// Adds rows when it is opened, and remembers which came together.
private final class GatedDesk: RowDesk {
    private struct State {
        var batches: [[String]] = []
        var isOpen = false
    }

    private let refused: Set<String>
    private let state = Mutex(State())

    init(refused: Set<String> = []) {
        self.refused = refused
    }

    var batches: [[String]] { state.withLock(\.batches) }
    func open() { state.withLock { $0.isOpen = true } }

    func add(_ objects: String) async throws(PostgresError) -> [AddedRow] {
        guard case .array(let values) = try? JSONValue(parsing: objects) else { return [] }
        let ids = values.compactMap { $0["id"]?.string }
        state.withLock { $0.batches.append(ids) }
        do {
            try await eventually("it is opened") { state.withLock(\.isOpen) }
        } catch { throw PostgresError(.cancelled, message: "cancelled") }
        guard refused.isDisjoint(with: ids) else { throw PostgresError(.query, sqlState: "23505", message: "refused") }
        return ids.map { AddedRow(id: $0, outcome: .added, differing: []) }
    }

    func page(_ filter: RowFilter, limit: Int) async throws(PostgresError) -> RowPage { RowPage() }
    func oldestDue(lanes: [String], limit: Int) async throws(PostgresError) -> [String] { [] }
    func inReview(limit: Int) async throws(PostgresError) -> [String] { [] }
    func find(_ name: String, lanes: [String], limit: Int) async throws(PostgresError) -> [String] { [] }
    func show(_ id: String) async throws(PostgresError) -> String? { nil }
    func history(_ id: String, limit: Int) async throws(PostgresError) -> [String] { [] }
    func checks(_ id: String, limit: Int) async throws(PostgresError) -> [String] { [] }
    func nudge(_ ids: [String]) async throws(PostgresError) -> [String] { [] }
    func remove(_ id: String) async throws(PostgresError) -> Bool { false }
}
