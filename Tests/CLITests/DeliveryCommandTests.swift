import Foundation
import JSON
import Postgres
import Schema
import TestSupport
import Testing

@testable import ReconciledCLI

/// What people do with deliveries, by the real binary on a real database.
@Suite struct DeliveryCommandTests {
    private static let hook = """
        gateways: { trial: { kind: fixed, state: PAID } }
        webhooks: { shop: { url: "http://127.0.0.1:1/hook", secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, timeout: 2s } }
        """

    private func write(_ text: String, _ database: TestDatabase, to directory: URL) throws -> String {
        let file = directory.appending(path: "r.yaml")
        try "database: { url: \"\(database.url)\" }\nhttp: { port: 0 }\n\(text)".write(
            to: file, atomically: true, encoding: .utf8)
        return file.path
    }

    private func withFile(_ body: (String, TestDatabase, URL) async throws -> Void) async throws {
        try await withTestDatabase { database in
            try await withDirectory { directory in
                try await body(try write(Self.hook, database, to: directory), database, directory)
            }
        }
    }

    private func count(_ database: TestDatabase, _ sql: String) async throws -> Int64 {
        try await database.pool.query(PostgresQuery(Statement(name: "", text: sql))) { rows in
            try rows.first { row in try row.read(Int64.self) } ?? 0
        }
    }

    @Test func aRunTellsItsEndpointsAndPeopleActOnWhatDidNotArrive() async throws {
        try await withFile { file, database, directory in
            func command(_ words: String..., input: String = "") async throws -> Reconciled.Result {
                try await Reconciled.run(words + ["--config", file], input: input)
            }
            let run = try LongRunning(["--config", file], directory: directory)
            try await run.says("\"watch\":\"deliveries\"")
            let order = #"{"id": "A-1", "gateway": "trial", "amount_minor": 1, "currency": "EUR"}"#
            _ = try await command("add", "orders", "--json", "-", input: order)
            _ = try await command("nudge", "orders", "A-1")
            try await eventually("the endpoint could not be reached") {
                try await self.count(database, "SELECT count(*) FROM reconciled.deliveries WHERE failure_count = 1")
                    == 1
            }
            #expect(try await run.stop() == 0)

            let list = try await command("list", "deliveries")
            #expect(list.output.contains("order.paid") && list.output.contains("orders/A-1"), "\(list.output)")
            let rows = try JSONValue(parsing: try await command("list", "deliveries", "--json", "--limit", "1").output)
            guard case .array(let elements) = rows, let id = elements.first.flatMap({ RowText($0)["id"] }) else {
                Issue.record("no delivery: \(rows)")
                return
            }
            #expect(
                try await command("show", "deliveries", id).output.contains("The connection to the endpoint failed"))
            let dry = try await command("check", "deliveries", id, "--dry-run")
            #expect(dry.code == 0 && dry.output.contains("would send evt_"), "\(dry.output)")
            let check = try await command("check", "deliveries", id, "--json")
            #expect(try JSONValue(parsing: check.output)["verdict"]?.string == "failed")
            #expect(try await command("nudge", "deliveries", id).code == 0)
            let resolved = try await command("resolve", "deliveries", id, "--status", "delivered", "--note", "by phone")
            #expect(resolved.output == "\(id) is delivered\n", "\(resolved.errors)")
            let wrong = try await command("resolve", "deliveries", id, "--status", "paid", "--note", "x")
            #expect(wrong.code == 64 && wrong.errors.contains("pending, delivered"))
            let added = try await command("add", "deliveries", "--json", "-", input: "{}")
            #expect(added.code == 1 && added.errors.contains("not added by hand"), "\(added.errors)")
            for id in ["abc", "0", "99999999999999999999"] {
                let none = try await command("show", "deliveries", id)
                #expect(none.code == 1 && none.errors.contains("there is no delivery"), "\(id): \(none.errors)")
            }
            #expect(try await command("list", "deliveries", "--after", "1", "--json").code == 0)
            for after in ["abc", "0", "1.5", "99999999999999999999"] {
                let page = try await command("list", "deliveries", "--after", after)
                #expect(page.code == 64, "\(after): \(page.output)")
                #expect(page.errors.contains("--after is no delivery's id; allowed: a whole number"), "\(page.errors)")
            }
            #expect(try await command("remove", "deliveries", id).output == "removed \(id)\n")
        }
    }

    /// Without the process a decision by hand is still told; what SIGHUP takes away is forgotten at once.
    @Test func aProcessSaysWhichEndpointsItHas() async throws {
        try await withFile { file, database, directory in
            func names() async throws -> Int64 {
                try await self.count(database, "SELECT count(*) FROM reconciled.endpoints WHERE name = 'shop'")
            }
            let run = try LongRunning(["--config", file], directory: directory)
            try await run.says("\"watch\":\"deliveries\"")
            #expect(try await names() == 1)
            _ = try write("gateways: { one: { kind: fixed, state: PAID } }", database, to: directory)
            run.send(SIGHUP)
            try await run.says("\"lanes\":\"one\"")
            #expect(try await names() == 0)
            _ = try write(Self.hook, database, to: directory)
            run.send(SIGHUP)
            try await eventually("it is registered again") { try await names() == 1 }
            #expect(try await run.stop() == 0)
            #expect(try await names() == 1)

            let order = #"{"id": "A-1", "gateway": "trial", "amount_minor": 1, "currency": "EUR"}"#
            _ = try await Reconciled.run(["add", "orders", "--json", "-", "--config", file], input: order)
            let resolved = try await Reconciled.run(
                ["resolve", "orders", "A-1", "--status", "closed", "--note", "x", "--config", file])
            #expect(resolved.code == 0)
            #expect(
                try await count(
                    database, "SELECT count(*) FROM reconciled.deliveries WHERE event_type = 'order.resolved'") == 1)
        }
    }
}
