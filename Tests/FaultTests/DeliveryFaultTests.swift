import Foundation
import Postgres
import Schema
import TestSupport
import Testing

/// The real binary killed in the middle of telling events: each must arrive, under its one id, and those of one subject in
/// order.
@Suite(.serialized, .timeLimit(.minutes(5))) struct DeliveryFaultTests {
    private static let subjects = 10
    private static let orders = 20

    private struct Scene {
        var database: TestDatabase
        var sink: EventSink
        var folder: URL

        func count(_ sql: String) async throws -> Int64 { try await database.count(sql) }
        func execute(_ sql: String) async throws { try await database.execute(sql) }

        func startPoller() throws -> Program {
            let name = UUID().uuidString
            let file = folder.appending(path: "\(name).yaml")
            let text = """
                database: { url: "\(database.url)", poolSize: 3 }
                http: { host: 127.0.0.1, port: 0 }
                watches:
                  orders: { lease: 2s, poll: 100ms }
                  deliveries: { lease: 2s, poll: 100ms, concurrency: 6 }
                gateways:
                  trial: { kind: fixed, state: PAID, delay: 20ms }
                webhooks:
                  shop:
                    url: "http://127.0.0.1:\(sink.boundPort ?? 0)/events"
                    secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
                """
            try text.write(to: file, atomically: true, encoding: .utf8)
            return try Program(["run", "--config", file.path], log: folder.appending(path: "\(name).log"))
        }
    }

    private func withScene(_ body: (Scene) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "reconciled-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let sink = EventSink(latency: .milliseconds(60))
        try await withTestDatabase { database in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await sink.run() }
                try await eventually("the sink listens") { sink.boundPort != nil }
                try await body(Scene(database: database, sink: sink, folder: folder))
                group.cancelAll()
            }
        }
    }

    @Test func aPollerKilledInMidDeliveryLosesNoEventAndDisturbsNoOrder() async throws {
        try await withScene { scene in
            // Eight events of each subject, and what the pollers' own changes tell.
            try await scene.execute(
                """
                INSERT INTO reconciled.deliveries (endpoint, event_id, event_type, subject, payload)
                SELECT 'shop', 'evt_' || lpad(n::text, 4, '0'), 'order.paid', 'orders/S-' || n % \(Self.subjects),
                    jsonb_build_object('type', 'order.paid', 'data',
                        jsonb_build_object('row', jsonb_build_object('id', 'S-' || n % \(Self.subjects))))
                FROM generate_series(1, \(Self.subjects * 8)) AS n
                """)
            scene.sink.setSilent(true)
            let first = try scene.startPoller()
            try await eventually("calls are under way") { scene.sink.calls.count >= 3 }
            first.kill9()
            scene.sink.setSilent(false)
            let interrupted = Set(scene.sink.calls.map(\.id))

            try await scene.execute(
                """
                INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, next_check_at)
                SELECT 'A-' || n, 'trial', 1, 'EUR', now() + n * interval '100 ms'
                FROM generate_series(1, \(Self.orders)) AS n
                """)
            var pollers = [try scene.startPoller(), try scene.startPoller()]
            for round in 0..<4 {
                let before = scene.sink.calls.count
                try await eventually("more calls are made") { scene.sink.calls.count > before }
                pollers[round % 2].kill9()
                pollers[round % 2] = try scene.startPoller()
            }
            let total = Int64(Self.subjects * 8 + Self.orders)
            try await eventually("every event is delivered", within: .seconds(60)) {
                try await scene.count("SELECT count(*) FROM reconciled.deliveries WHERE status = 'delivered'") == total
            }
            for poller in pollers {
                poller.send(SIGTERM)
                #expect(poller.wait() == 0, "\(poller.output)")
            }

            let calls = scene.sink.calls
            let bodies = Dictionary(grouping: calls, by: \.id)
            #expect(bodies.count == Int(total))
            #expect(bodies.values.allSatisfy { Set($0.map(\.body)).count == 1 }, "an id stood for two events")
            for id in interrupted { #expect((bodies[id]?.count ?? 0) > 1, "\(id) was not told again") }
            for subject in 0..<Self.subjects {
                let ids = calls.filter { $0.body.contains("\"S-\(subject)\"") }.map(\.id)
                #expect(ids == ids.sorted(), "S-\(subject): \(ids)")
            }
            let changes = try await scene.count(
                """
                SELECT count(*) FROM reconciled.history AS h
                JOIN reconciled.deliveries AS d ON d.event_id LIKE 'evt\\_' || h.id || '\\_%' AND d.subject = 'orders/' || h.row_id
                WHERE h.watch = 'orders' AND h.status_after = 'paid'
                """)
            #expect(changes == Int64(Self.orders))
            #expect(try await scene.count("SELECT count(*) FROM reconciled.history WHERE watch = 'orders'") == changes)
        }
    }
}
