import Foundation
import TestSupport
import Testing

@testable import ReconciledCLI

/// The real binary on what people get wrong.
@Suite struct ExitCodeTests {
    @Test(arguments: [
        [], ["frobnicate"], ["run", "--nonsense"], ["list"], ["list", "parcels"],
        ["list", "orders", "--limit", "0"], ["list", "orders", "--limit", "many"], ["show", "orders"],
        ["resolve", "orders", "a", "--status", "paid", "--note", "n"],
        ["resolve", "orders", "a", "--status", "gone", "--note", "n"],
        ["resolve", "orders", "a", "--status", "closed", "--note", " "],
        ["pause", "acme"], ["migrate", "--status", "--grants"], ["add", "orders"], ["completions", "csh"],
        ["run", "--log-format", "xml"],
    ])
    func badUsageIs64(arguments: [String]) async throws {
        let result = try await Reconciled.run(arguments)
        // Without a command the help is shown, and that is no mistake.
        #expect(result.code == (arguments.isEmpty ? 0 : 64), "\(result.errors)")
    }

    @Test func helpAndVersionAre0() async throws {
        for arguments in [["--help"], ["run", "--help"], ["help", "add"], ["--version"], ["migrate", "--grants"]] {
            let result = try await Reconciled.run(arguments)
            #expect(result.code == 0 && !result.output.isEmpty, "\(arguments): \(result.errors)")
        }
        for shell in ["bash", "zsh", "fish"] {
            let result = try await Reconciled.run(["completions", shell])
            #expect(result.code == 0 && result.output.contains("reconciled"))
        }
    }

    @Test func badConfigurationIs78AndNamesFileLineAndKey() async throws {
        try await withDirectory { directory in
            try "database:\n  poolSize: 0\n".write(
                to: directory.appending(path: "reconciled.yaml"), atomically: true, encoding: .utf8)
            for arguments in [
                ["run"], ["status"], ["run", "--config", "reconciled.yaml"], ["--config", "reconciled.yaml", "run"],
            ] {
                let result = try await Reconciled.run(arguments, directory: directory)
                #expect(result.code == 78)
                #expect(
                    result.errors
                        == "reconciled: reconciled.yaml:2: database.poolSize: 0 is out of range; "
                        + "allowed: a whole number between 1 and 100\n")
            }
        }
        for arguments in [["run"], ["status"], ["run", "--config", "/nonexistent.yaml"]] {
            let result = try await Reconciled.run(arguments)
            #expect(result.code == 78, "\(result.errors)")
            #expect(result.errors.contains("allowed: "))
        }
        let unknown = try await Reconciled.run(["run"], environment: ["RECONCILED_DATABASE_URI": "x"])
        #expect(unknown.code == 78 && unknown.errors.contains("RECONCILED_DATABASE_URI"), "\(unknown.errors)")
    }

    @Test func anUnreachableDatabaseFailsOneShotCommandsAtOnceWithoutCredentials() async throws {
        let environment = ["RECONCILED_DATABASE_URL": "postgres://bob:s3cret@127.0.0.1:1/d"]
        let commands = [
            ["status"], ["list", "orders"], ["nudge", "orders", "a"], ["migrate"], ["doctor"],
            ["pause", "acme", "--why", "w"],
        ]
        for arguments in commands {
            let result = try await Reconciled.run(arguments, environment: environment)
            #expect(result.code == 1, "\(arguments): \(result.errors)")
            let lines = result.errors.split(separator: "\n")
            #expect(lines.last?.hasPrefix("reconciled: the database cannot be reached") == true, "\(result.errors)")
            #expect(!result.errors.contains("s3cret"))
        }
    }

    @Test func aDatabaseWithoutSchemaSaysWhatToDo() async throws {
        try await withTestDatabase(migrated: false) { database in
            for arguments in [["status"], ["run"]] {
                let result = try await Reconciled.run(
                    arguments, environment: ["RECONCILED_DATABASE_URL": database.url, "RECONCILED_HTTP_PORT": "0"])
                #expect(result.code == 78, "\(result.errors)")
                #expect(result.errors.contains("run `reconciled migrate`"), "\(result.errors)")
            }
        }
    }

    @Test func aWrongDatabaseAddressIs78() async throws {
        let result = try await Reconciled.run(
            ["status"], environment: ["RECONCILED_DATABASE_URL": "postgres://h/d?nonsense=1"])
        #expect(result.code == 78, "\(result.errors)")
    }
}
