import Foundation
import JSON
import Payments
import Postgres
import Schema
import TestSupport
import Testing

@testable import ReconciledCLI

/// The real binary on a real database.
@Suite struct CommandTests {
    private static func run(
        _ database: TestDatabase, _ arguments: [String], input: String = "", gateway: String? = "PAID"
    ) async throws -> Reconciled.Result {
        var environment = ["RECONCILED_DATABASE_URL": database.url]
        if let gateway {
            environment["RECONCILED_GATEWAYS_TRIAL_KIND"] = "fixed"
            environment["RECONCILED_GATEWAYS_TRIAL_STATE"] = gateway
        }
        return try await Reconciled.run(arguments, environment: environment, input: input)
    }

    private static func json(_ result: Reconciled.Result) throws -> JSONValue {
        #expect(result.code == 0, "\(result.errors)")
        return try JSONValue(parsing: result.output.trimmingCharacters(in: .newlines))
    }

    private static func add(_ database: TestDatabase, _ id: String, _ more: String = "") async throws {
        let order = "{\"id\": \"\(id)\", \"gateway\": \"trial\", \"amount_minor\": 1999, \"currency\": \"EUR\"\(more)}"
        let result = try await run(database, ["add", "orders", "--json", "-"], input: order)
        #expect(result.code == 0, "\(result.errors)")
    }

    @Test func migrateSaysWhatItDoesAndDoesItOnce() async throws {
        try await withTestDatabase(migrated: false) { database in
            let before = try await Self.run(database, ["migrate", "--status", "--json"])
            #expect(before.code == 1 && before.output.contains("\"applied\":[]"), "\(before.output)")
            let dry = try await Self.run(database, ["migrate", "--dry-run"])
            #expect(dry.code == 0 && dry.output.contains("CREATE TABLE reconciled.orders"))
            #expect(try await Self.run(database, ["migrate", "--status"]).code == 1)
            let first = try await Self.run(database, ["migrate"])
            #expect(first.code == 0 && first.output.hasPrefix("applied v1 "), "\(first.errors)")
            let second = try await Self.run(database, ["migrate"])
            #expect(second.code == 0 && second.output == "the schema is up to date\n")
            let after = try Self.json(try await Self.run(database, ["migrate", "--status", "--json"]))
            #expect(after["problem"] == .null && after["pending"] == .array([]))
        }
    }

    @Test func ordersAreAddedListedShownAndRemoved() async throws {
        try await withTestDatabase { database in
            let two = """
                [{"id": "a", "gateway": "trial", "amount_minor": 1999, "currency": "EUR", "gateway_ref": null},
                 {"id": "b", "gateway": "trial", "amount_minor": 5, "currency": "JPY", "next_check_at": "2020-01-01T00:00:00Z"}]
                """
            let added = try await Self.run(database, ["add", "orders", "--json", "-"], input: two)
            #expect(
                added.output == #"[{"id":"a","outcome":"added"},{"id":"b","outcome":"added"}]"# + "\n",
                "\(added.errors)")
            let again = try await Self.run(database, ["add", "orders", "--json", "-"], input: two)
            #expect(again.code == 0 && again.output.contains(#"{"id":"a","outcome":"exists"}"#))
            let different = try await Self.run(
                database, ["add", "orders", "--json", "-"], input: two.replacing("1999", with: "2000"))
            #expect(different.code == 1 && different.output.contains(#"{"id":"a","outcome":"differs"}"#))

            let list = try Self.json(try await Self.run(database, ["list", "orders", "--json"]))
            guard case .array(let rows) = list else { throw CommandFailure("a list is an array") }
            #expect(rows.map { $0["id"]?.string } == ["a", "b"])
            #expect(rows[0]["amount_minor"]?.integer == 1999)
            let due = try await Self.run(database, ["list", "orders", "--due"])
            #expect(due.output.contains("5 JPY") && !due.output.contains("19.99 EUR"))
            let paid = try await Self.run(database, ["list", "orders", "--status", "paid", "--json"])
            #expect(paid.output == "[]\n")
            let page = try await Self.run(database, ["list", "orders", "--limit", "1", "--after", "a", "--json"])
            #expect(page.output.contains("\"b\"") && !page.output.contains("\"a\""))

            let shown = try Self.json(try await Self.run(database, ["show", "orders", "a", "--json"]))
            #expect(shown["row"]?["currency"]?.string == "EUR")
            guard case .array(let history) = shown["history"] else { throw CommandFailure("a history is an array") }
            #expect(history.map { $0["reason"]?.string } == ["ADDED"])
            let missing = try await Self.run(database, ["show", "orders", "nobody"])
            #expect(missing.code == 1 && missing.errors == "reconciled: there is no order \"nobody\"\n")

            #expect(try await Self.run(database, ["remove", "orders", "a"]).code == 0)
            #expect(try await Self.run(database, ["remove", "orders", "a"]).code == 1)
        }
    }

    @Test(arguments: [
        ("{\"id\": \"a\"}", "gateway"), ("[1]", "not a JSON object"), ("nonsense", "not readable as JSON"),
        ("{\"id\":\"a\",\"gateway\":\"g\",\"amount_minor\":-1,\"currency\":\"EUR\"}", "amount_minor"),
        ("{\"id\":\"a\",\"gateway\":\"g\",\"amount_minor\":9223372036854775808,\"currency\":\"EUR\"}", "amount_minor"),
        ("{\"id\":\"a\",\"gateway\":\"g\",\"amount_minor\":1,\"currency\":\"eur\"}", "currency"),
        ("{\"id\":\"a\\u0000b\",\"gateway\":\"g\",\"amount_minor\":1,\"currency\":\"EUR\"}", "id"),
        ("{\"id\":\"a\",\"gateway\":\"g\",\"amount_minor\":1,\"currency\":\"EUR\",\"colour\":1}", "colour"),
        ("{\"id\":\"a\",\"gateway\":\"g\",\"amount_minor\":1,\"currency\":\"EUR\",\"status\":\"paid\"}", "status"),
        ("[]", "nothing to add"),
    ])
    func whatIsNoOrderIsRefusedAtTheEdge(input: String, problem: String) async throws {
        // No database is asked: the address leads nowhere.
        let result = try await Reconciled.run(
            ["add", "orders", "--json", "-"], environment: ["RECONCILED_DATABASE_URL": "postgres://127.0.0.1:1/d"],
            input: input)
        #expect(result.code == 1 && result.errors.contains(problem), "\(result.errors)")
        #expect(!result.errors.contains("cannot be reached"))
    }

    @Test func oneInvalidOrderAddsNone() async throws {
        try await withTestDatabase { database in
            let input = """
                [{"id": "a", "gateway": "trial", "amount_minor": 1, "currency": "EUR"},
                 {"id": "a", "gateway": "trial", "amount_minor": 1, "currency": "EUR"}]
                """
            let result = try await Self.run(database, ["add", "orders", "--json", "-"], input: input)
            #expect(result.code == 1 && result.errors.contains("order 2: id"), "\(result.errors)")
            #expect(try await Self.run(database, ["list", "orders", "--json"]).output == "[]\n")
        }
    }

    @Test func aCheckByHandDoesWhatAPollerWould() async throws {
        try await withTestDatabase { database in
            try await Self.add(database, "a")
            let dry = try Self.json(try await Self.run(database, ["check", "orders", "a", "--dry-run", "--json"]))
            #expect(dry["verdict"]?.string == "settled" && dry["status_after"]?.string == "paid")
            #expect(dry["dry_run"] == .bool(true))
            let untouched = try Self.json(try await Self.run(database, ["show", "orders", "a", "--json"]))
            #expect(untouched["row"]?["status"]?.string == "pending" && untouched["checks"] == .array([]))
            let check = try Self.json(try await Self.run(database, ["check", "orders", "a", "--json"]))
            #expect(check["verdict"]?.string == "settled" && check["status_after"]?.string == "paid")
            #expect(check["effect"]?.string == "is paid now")
            let after = try Self.json(try await Self.run(database, ["show", "orders", "a", "--json"]))
            #expect(after["row"]?["status"]?.string == "paid")
            #expect(after["row"]?["leased_by"] == .null || after["row"]?["lease_expires_at"] == .null)

            let unknown = try await Self.run(database, ["check", "orders", "a"], gateway: nil)
            #expect(unknown.code == 78 && unknown.errors.contains("no gateway \"trial\" is configured"))
            #expect(try await Self.run(database, ["check", "orders", "nobody"]).code == 1)
        }
    }

    @Test func peopleNudgeAndResolveAndItIsRecordedWithTheirName() async throws {
        try await withTestDatabase { database in
            try await Self.add(database, "a")
            try await Self.add(database, "b")
            let nudged = try await Self.run(database, ["nudge", "orders", "a", "nobody"])
            #expect(nudged.code == 1 && nudged.output == "nudged a\n" && nudged.errors.contains("\"nobody\""))
            let resolved = try Self.json(
                try await Self.run(
                    database,
                    [
                        "resolve", "orders", "a", "--status", "paid", "--txn", "t-1", "--note", "bank statement",
                        "--json",
                    ]))
            #expect(resolved["status"]?.string == "paid" && resolved["gateway_txn_id"]?.string == "t-1")
            let twice = try await Self.run(
                database, ["resolve", "orders", "b", "--status", "paid", "--txn", "t-1", "--note", "again"])
            #expect(twice.code == 1 && twice.errors.contains("another order of this gateway holds the transaction"))
            let shown = try await Self.run(database, ["show", "orders", "a"])
            #expect(shown.output.contains("tester") && shown.output.contains("bank statement"), "\(shown.output)")
            #expect(shown.output.contains("pending → paid"))
            // A mistake is taken back, and the order whose payment it is gets it.
            let undone = try Self.json(
                try await Self.run(
                    database, ["resolve", "orders", "a", "--status", "closed", "--note", "not this one", "--json"]))
            #expect(undone["gateway_txn_id"] == .null && undone["paid_at"] == .null)
            let proof = Statement(
                name: "", text: "SELECT answer ->> 'txn_before' FROM reconciled.history ORDER BY id DESC LIMIT 1")
            let kept = try await database.pool.query(PostgresQuery(proof)) { rows in
                try rows.first { row in try row.read(String.self) }
            }
            #expect(kept == "t-1", "what was taken back is on record")
            let right = try await Self.run(
                database, ["resolve", "orders", "b", "--status", "paid", "--txn", "t-1", "--note", "this one"])
            #expect(right.code == 0, "\(right.errors)")
        }
    }

    @Test func lanesArePausedAndResumed() async throws {
        try await withTestDatabase { database in
            let paused = try await Self.run(database, ["pause", "trial", "--why", "the bank asked"])
            #expect(paused.code == 0, "\(paused.errors)")
            let status = try await Self.run(database, ["status"])
            #expect(status.output.contains("paused by tester: the bank asked"), "\(status.output)")
            let doctor = try await Self.run(database, ["doctor", "--json"])
            #expect(doctor.code == 2 && doctor.output.contains("\"finding\":\"paused\""), "\(doctor.output)")
            #expect(try await Self.run(database, ["resume", "trial"]).output == "resumed trial\n")
            let again = try await Self.run(database, ["resume", "trial"])
            #expect(again.output == "trial was neither paused nor asked to wait\n")
            let typo = try await Self.run(database, ["pause", "trail", "--why", "x"])
            #expect(
                typo.code == 1 && typo.errors.contains("known: ") && typo.errors.contains("trial"), "\(typo.errors)")
        }
    }

    @Test func theDoctorFindsWhatCannotMakeProgress() async throws {
        try await withTestDatabase { database in
            try await Self.add(database, "adrift", ", \"next_check_at\": null")
            try await Self.add(database, "late", ", \"next_check_at\": \"2020-01-01T00:00:00Z\"")
            let doctor = try await Self.run(database, ["doctor"])
            #expect(doctor.code == 2, "\(doctor.errors)")
            for finding in ["adrift", "unclaimed", "no_poller"] {
                #expect(doctor.output.contains(finding), "\(doctor.output)")
            }
            let unconfigured = try await Self.run(database, ["doctor", "--json"], gateway: nil)
            #expect(unconfigured.output.contains("\"finding\":\"unconfigured\",\"lane\":\"trial\""))
        }
        try await withTestDatabase(migrated: false) { database in
            let doctor = try await Self.run(database, ["doctor"])
            #expect(doctor.code == 2 && doctor.output.contains("reconciled migrate"))
        }
    }
}
