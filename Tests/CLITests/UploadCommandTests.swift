import Foundation
import JSON
import TestSupport
import Testing

@testable import ReconciledCLI

/// The real binary, real files, and what people do with uploads by hand.
@Suite struct UploadCommandTests {
    private static let digest = "908527eba8f85ed345222aa2d108430e0329c140dfe29b9af713472a508b6b93"
    private static let content = Data((0..<2_500).map { UInt8(truncatingIfNeeded: $0 * 7) })

    /// A database, two directories and a configuration that names them.
    private struct Scene {
        var database: TestDatabase
        var directory: URL
        var file: String

        var chunks: URL { directory.appending(path: "chunks") }
        var target: URL { directory.appending(path: "files/a/film.bin") }

        func run(_ arguments: String..., input: String = "") async throws -> Reconciled.Result {
            try await Reconciled.run(arguments + ["--config", file], directory: directory, input: input)
        }

        func json(_ arguments: String...) async throws -> JSONValue {
            let result = try await Reconciled.run(arguments + ["--json", "--config", file], directory: directory)
            #expect(result.code == 0, "\(result.errors)")
            return try JSONValue(parsing: result.output.trimmingCharacters(in: .newlines))
        }

        func row(_ id: String = "u-1") async throws -> JSONValue {
            try #require(try await json("show", "uploads", id)["row"])
        }

        func add(_ id: String = "u-1", name: String = "a/film.bin", more: String = "") async throws {
            let session =
                #"{"id": "\#(id)", "store": "local", "name": "\#(name)", "total_bytes": 2500, "chunk_bytes": 1000\#(more)}"#
            let result = try await run("add", "uploads", "--json", "-", input: session)
            #expect(result.code == 0, "\(result.errors)")
        }

        func send(_ indices: [Int], of id: String = "u-1") throws {
            let folder = chunks.appending(path: id)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            for index in indices {
                let piece = content[(index * 1_000)..<min((index + 1) * 1_000, content.count)]
                try piece.write(to: folder.appending(path: "\(index)"))
            }
        }
    }

    private static func withScene(
        _ settings: String = "minFreeBytes: 0", more: String = "", _ body: (Scene) async throws -> Void
    ) async throws {
        try await withTestDatabase { database in
            try await withDirectory { directory in
                for name in ["chunks", "files"] {
                    try FileManager.default.createDirectory(
                        at: directory.appending(path: name), withIntermediateDirectories: true)
                }
                let file = directory.appending(path: "reconciled.yaml")
                let text = """
                    database: { url: "\(database.url)" }
                    stores:
                      local:
                        kind: directory
                        chunks: \(directory.path)/chunks
                        target: \(directory.path)/files
                        quiescence: 0ms
                        reclaimAfter: 0ms
                        \(settings)
                    \(more)
                    """
                try text.write(to: file, atomically: true, encoding: .utf8)
                try await body(Scene(database: database, directory: directory, file: file.path))
            }
        }
    }

    @Test func sessionsAreAddedListedShownNudgedAndRemoved() async throws {
        try await Self.withScene { scene in
            let two = """
                [{"id": "u-1", "store": "local", "name": "a/film.bin", "total_bytes": 2500, "chunk_bytes": 1000},
                 {"id": "u-2", "store": "local", "name": "b.bin", "total_bytes": 2500, "chunk_bytes": 1000, "chunk_count": 2,
                  "sha256": "\(String(repeating: "A", count: 64))", "next_check_at": "2020-01-01T00:00:00Z"}]
                """
            let added = try await scene.run("add", "uploads", "--json", "-", input: two)
            #expect(
                added.output == #"[{"id":"u-1","outcome":"added"},{"id":"u-2","outcome":"added"}]"# + "\n",
                "\(added.errors)")
            let again = try await scene.run("add", "uploads", "--json", "-", input: two)
            #expect(again.code == 0 && again.output.contains(#"{"id":"u-2","outcome":"exists"}"#))
            let other = two.replacing("\"b.bin\"", with: "\"c.bin\"")
            let different = try await scene.run("add", "uploads", "--json", "-", input: other)
            #expect(different.code == 1 && different.output.contains(#"{"id":"u-2","outcome":"differs"}"#))
            let taken = two.replacing("u-1", with: "u-3").replacing("u-2", with: "u-4")
            let refused = try await scene.run("add", "uploads", "--json", "-", input: taken)
            #expect(refused.code == 1 && refused.errors.contains("has that name in its store"), "\(refused.errors)")

            #expect(try await scene.row()["chunk_count"]?.integer == 3)
            #expect(try await scene.row("u-2")["sha256"]?.string == String(repeating: "a", count: 64))
            let list = try await scene.run("list", "uploads")
            for text in ["PROGRESS", "u-1", "a/film.bin", "0/3", "0/2", "receiving"] {
                #expect(list.output.contains(text), "\(list.output)")
            }
            let due = try await scene.json("list", "uploads", "--due")
            guard case .array(let rows) = due else { throw CommandFailure("a list is an array") }
            #expect(rows.map { $0["id"]?.string } == ["u-2"])
            #expect(try await scene.run("nudge", "uploads", "u-1").output == "nudged u-1\n")
            #expect(try await scene.run("remove", "uploads", "u-2").code == 0)
            #expect(try await scene.run("show", "uploads", "u-2").errors == "reconciled: there is no upload \"u-2\"\n")
        }
    }

    @Test(arguments: [
        (#"{"id":"u"}"#, "store"), (#""x""#, "not a JSON object"),
        (#"{"id":"u","store":"s","name":"../x","total_bytes":1,"chunk_bytes":1}"#, "name"),
        (#"{"id":"u","store":"s","name":"/x","total_bytes":1,"chunk_bytes":1}"#, "absolute"),
        (#"{"id":"u","store":"s","name":"x\u0000y","total_bytes":1,"chunk_bytes":1}"#, "name"),
        (#"{"id":"u","store":"s","name":"x\ny","total_bytes":1,"chunk_bytes":1}"#, "control character"),
        (#"{"id":"u","store":"s","name":"x","total_bytes":-1,"chunk_bytes":1}"#, "total_bytes"),
        (#"{"id":"u","store":"s","name":"x","total_bytes":1,"chunk_bytes":0}"#, "chunk_bytes"),
        (#"{"id":"u","store":"s","name":"x","total_bytes":10,"chunk_bytes":4,"chunk_count":5}"#, "chunk_count"),
        (#"{"id":"u","store":"s","name":"x","total_bytes":1,"chunk_bytes":1,"sha256":"abc"}"#, "sha256"),
        (#"{"id":"u","store":"s","name":"x","total_bytes":1,"chunk_bytes":1,"status":"complete"}"#, "status"),
        (#"{"id":"u","store":"s","name":"x","total_bytes":1,"chunk_bytes":1,"missing":"1"}"#, "missing"),
    ])
    func whatIsNoSessionIsRefusedAtTheEdge(input: String, problem: String) async throws {
        let result = try await Reconciled.run(
            ["add", "uploads", "--json", "-"], environment: ["RECONCILED_DATABASE_URL": "postgres://127.0.0.1:1/d"],
            input: input)
        #expect(result.code == 1 && result.errors.contains(problem), "\(result.errors)")
        #expect(!result.errors.contains("cannot be reached"))
    }

    @Test func aSessionIsCarriedThroughItsLifeByHandAndADryRunTouchesNothing() async throws {
        try await Self.withScene { scene in
            func check(_ arguments: String...) async throws -> JSONValue {
                let command = ["check", "uploads", "u-1", "--json", "--config", scene.file] + arguments
                let result = try await Reconciled.run(command, directory: scene.directory)
                #expect(result.code == 0, "\(result.errors)")
                return try JSONValue(parsing: result.output.trimmingCharacters(in: .newlines))
            }
            try await scene.add()
            try scene.send([0, 2])
            #expect(try await check("--dry-run")["effect"]?.string == "would keep it receiving")
            #expect(try await scene.row()["missing"]?.isNull == true)
            let holed = try await check()
            #expect(holed["reason"]?.string == "CHUNKS_MISSING" && holed["effect"]?.string == "stays receiving")
            #expect(try await scene.row()["missing"]?.string == "1")
            #expect(try await scene.row()["received_chunks"]?.integer == 2)

            try scene.send([1])
            #expect(try await check("--dry-run")["effect"]?.string == "would make it merging")
            #expect(try await check()["effect"]?.string == "is merging now")
            #expect(try await check("--dry-run")["effect"]?.string == "would merge the chunks")
            #expect(!FileManager.default.fileExists(atPath: scene.target.path))
            #expect(try await scene.row()["status"]?.string == "merging")
            #expect(try await check()["effect"]?.string == "is complete now")
            #expect(try Data(contentsOf: scene.target) == Self.content)
            #expect(try await scene.row()["location"]?.string == scene.target.path)

            #expect(try await check("--dry-run")["effect"]?.string == "would free the chunks")
            #expect(FileManager.default.fileExists(atPath: scene.chunks.appending(path: "u-1/0").path))
            #expect(try await check()["reason"]?.string == "RECLAIMED")
            #expect(!FileManager.default.fileExists(atPath: scene.chunks.appending(path: "u-1/0").path))
            #expect(try Data(contentsOf: scene.target) == Self.content)
            #expect(try await scene.row()["reclaimed_bytes"]?.integer == 2_500)
            let status = try await scene.run("status")
            #expect(status.output.contains("of 1 upload reclaimed"), "\(status.output)")
            #expect(try await scene.json("status")["reclaimed_bytes"]?["local"]?.integer == 2_500)
            let shown = try await scene.run("show", "uploads", "u-1")
            #expect(shown.output.contains("receiving → merging") && shown.output.contains("merging → complete"))
        }
    }

    /// Without a digest nobody can tell; with one a dry run can, though it holds no lease.
    @Test func aDryRunProvesWhatIsThere() async throws {
        try await Self.withScene { scene in
            try await scene.add(more: #", "sha256": "\#(Self.digest)""#)
            try FileManager.default.createDirectory(
                at: scene.target.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Self.content.write(to: scene.target)
            let dry = try await scene.json("check", "uploads", "u-1", "--dry-run")
            #expect(dry["effect"]?.string == "would make it complete", "\(dry)")
            #expect(try await scene.row()["status"]?.string == "receiving")
        }
    }

    @Test func aReviewIsDecidedByAPersonAndRecorded() async throws {
        try await Self.withScene { scene in
            try await scene.add(more: #", "sha256": "\#(String(repeating: "0", count: 64))""#)
            try scene.send([0, 1, 2])
            for _ in 0..<2 { #expect(try await scene.run("check", "uploads", "u-1").code == 0) }
            #expect(try await scene.row()["review_reason"]?.string == "DIGEST_MISMATCH")
            #expect(try await scene.run("list", "uploads", "--status", "review").output.contains("DIGEST_MISMATCH"))
            let wrong = try await scene.run("resolve", "uploads", "u-1", "--status", "merging", "--note", "x")
            #expect(wrong.code != 0 && wrong.errors.contains("receiving"), "\(wrong.errors)")
            let again = try await scene.json(
                "resolve", "uploads", "u-1", "--status", "receiving", "--note", "the client sends it again")
            #expect(again["status"]?.string == "receiving" && again["review_reason"]?.isNull == true)
            let expired = try await scene.json("resolve", "uploads", "u-1", "--status", "expired", "--note", "given up")
            #expect(expired["status"]?.string == "expired")
            // Cancelled by a person: looked into, put out of the way, and freed.
            for _ in 0..<3 { #expect(try await scene.run("check", "uploads", "u-1").code == 0) }
            let row = try await scene.row()
            #expect(row["status"]?.string == "expired" && row["reclaimed_bytes"]?.integer == 2_500, "\(row)")
            #expect(row["next_check_at"]?.isNull == true)
            let shown = try await scene.run("show", "uploads", "u-1")
            #expect(shown.output.contains("tester") && shown.output.contains("given up"), "\(shown.output)")
        }
    }

    // MARK: doctor

    private static func findings(_ scene: Scene) async throws -> [String: String] {
        let result = try await scene.run("doctor", "--json")
        let json = try JSONValue(parsing: result.output.trimmingCharacters(in: .newlines))
        guard case .array(let findings) = json["findings"] else { throw CommandFailure("no findings") }
        return Dictionary(
            findings.map { ($0["finding"]?.string ?? "", "\($0["lane"]?.string ?? "") \($0["detail"]?.string ?? "")") },
            uniquingKeysWith: { $0 + "\n" + $1 })
    }

    @Test func theDoctorLooksWhetherStoresCanBeUsed() async throws {
        try await Self.withScene { scene in
            #expect(try await Set(Self.findings(scene).keys) == ["no_poller"])
            try FileManager.default.removeItem(at: scene.chunks)
            let gone = try await Self.findings(scene)
            #expect(gone["store_unusable"]?.contains("local chunks \(scene.chunks.path)") == true, "\(gone)")
            #expect(gone["store_unusable"]?.contains("No such file or directory") == true)
            // It only looks.
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: scene.directory.path).sorted()
                    == ["files", "reconciled.yaml"])
        }
        try await Self.withScene("minFreeBytes: 1000TiB") { scene in
            let full = try await Self.findings(scene)
            #expect(full["store_full"]?.contains("nothing is merged") == true, "\(full)")
        }
        let bucket = """
              away: { kind: s3, endpoint: "http://127.0.0.1:1", bucket: media, region: r, accessKey: AKID, secretKey: s3cr3t }
            """
        try await Self.withScene(more: bucket) { scene in
            let away = try await Self.findings(scene)
            #expect(away["store_unusable"]?.hasPrefix("away ") == true, "\(away)")
            #expect(!away.values.contains { $0.contains("s3cr3t") })
        }
    }

    @Test func theDoctorFindsUploadsThatAreOverAndWereNeverReclaimed() async throws {
        try await Self.withScene { scene in
            try await scene.add("stranded", more: #", "next_check_at": null"#)
            #expect(try await Self.findings(scene)["adrift"] != nil)
            try await scene.database.pool.withTransaction { transaction in
                try transaction.execute(script: "UPDATE reconciled.uploads SET status = 'complete'")
            }
            let findings = try await Self.findings(scene)
            #expect(findings["unreclaimed"]?.contains("nudge them") == true, "\(findings)")
        }
    }
}
