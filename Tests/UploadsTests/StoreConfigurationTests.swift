import Outgoing
import Settings
import Testing

@testable import Uploads

@Suite struct StoreConfigurationTests {
    private func read(_ text: String) throws -> StoreConfiguration {
        var root = try SettingsDocument(yaml: "stores:\n  acme: { \(text) }", fileName: "r.yaml", environment: [:]).root
        var section = try #require(try root.sections("stores").first).section
        return try StoreConfiguration(reading: &section)
    }

    private static let directory = "kind: directory, chunks: /c, target: /t"
    private static let s3 =
        "kind: s3, endpoint: \"https://s3.example\", bucket: b, region: r, accessKey: a, secretKey: s"

    @Test func aDirectoryIsRead() throws {
        let plain = try read(Self.directory)
        #expect(plain.name == "acme")
        #expect(plain.kind == .directory(.init(chunks: "/c", target: "/t")))
        #expect(plain.policy == UploadPolicy())
        #expect(plain.lane.timeout == StoreConfiguration.checkTimeout)
        let full = try read(
            Self.directory + ", pattern: \"{name}_{index}\", firstIndex: 1, layout: offset, minFreeBytes: 2GiB, "
                + "quiescence: 0s, expireAfter: 7d, reclaimAfter: 1m, cadence: [1s, 2s], dryRun: true, "
                + "concurrency: 4, rate: 5/s, timeout: 3s")
        #expect(
            full.kind
                == .directory(
                    .init(
                        chunks: "/c", target: "/t", layout: .offset, pattern: "{name}_{index}", firstIndex: 1,
                        minFreeBytes: 2 << 30)))
        let policy = UploadPolicy(
            quiescence: .zero, expireAfter: .seconds(7 * 86_400), reclaimAfter: .seconds(60),
            cadence: [.seconds(1), .seconds(2)], isDryRun: true)
        #expect(full.policy == policy)
        #expect(full.timeout == .seconds(3) && full.rate == Rate(count: 5, per: .seconds(1)))
        #expect(full.lane.concurrency == 4 && full.lane.cadence == policy.cadence)
        // The request's timeout is not the check's: a merge lasts as long as it does.
        #expect(full.lane.timeout == StoreConfiguration.checkTimeout)
    }

    @Test func anS3StoreIsRead() throws {
        guard case .s3(let settings) = try read(Self.s3).kind else { Issue.record("not S3"); return }
        #expect(settings.endpoint == EndpointURL("https://s3.example"))
        #expect(settings.bucket == "b" && settings.region == "r" && settings.secretKey == Secret("s"))
        #expect(settings.addressing == .path)
        #expect(!"\(settings)".contains("\"s\""))
    }

    @Test(
        arguments: [
            ("https://s3.eu-central-1.amazonaws.com", "", .virtual),
            ("https://s3.cn-north-1.amazonaws.com.cn", "", .virtual),
            ("https://amazonaws.com.example", "", .path),
            ("https://s3.example:9000", ", addressing: virtual", .virtual),
            ("https://s3.us-east-1.amazonaws.com", ", addressing: path", .path),
        ] as [(String, String, StoreConfiguration.S3.Addressing)])
    func addressingGoesByTheHost(endpoint: String, more: String, addressing: StoreConfiguration.S3.Addressing) throws {
        let text = Self.s3.replacing("https://s3.example", with: endpoint) + more
        guard case .s3(let settings) = try read(text).kind else { Issue.record("not S3"); return }
        #expect(settings.addressing == addressing)
    }

    /// Chunk 10 of the session 1 would be the file of chunk 0 of the session 11.
    @Test(arguments: [
        "{id}{index}", "a/{name}{index}.part", "{id}7{index}", "{index}{id}", "{index}00{name}",
    ])
    func anIndexThatRunsIntoAnIdIsRefused(pattern: String) throws {
        let error = #expect(throws: SettingsError.self) { try read(Self.directory + ", pattern: \"\(pattern)\"") }
        #expect(error?.key == "stores.acme.pattern")
        #expect(error?.problem.contains("different uploads have one file") == true)
        #expect(error?.allowed.contains("{id}_{index}") == true)
    }

    @Test(arguments: [
        "{id}/{index}", "{name}_{index}", "resumable-{id}.{index}", "{id}/7{index}", "{id}_7{index}", "{index}.{id}",
        "{name}/chunk{index}", "{id}/{index}.part", "{id}/b-{name}.{index}",
    ])
    func anIndexThatStandsApartIsRead(pattern: String) throws {
        guard case .directory(let directory) = try read(Self.directory + ", pattern: \"\(pattern)\"").kind else {
            Issue.record("no directory")
            return
        }
        #expect(directory.pattern == pattern)
    }

    /// The session x_y of the file z has the chunks of the session x of the file y_z.
    @Test(arguments: ["{id}_{name}_{index}", "{id}{name}/{index}", "{id}.{index}.{name}", "{name}/{id}.{index}"])
    func twoWordsThatRunIntoEachOtherAreRefused(pattern: String) throws {
        let error = #expect(throws: SettingsError.self) { try read(Self.directory + ", pattern: \"\(pattern)\"") }
        #expect(error?.key == "stores.acme.pattern" && error?.allowed.contains("both as in") == true)
    }

    @Test(arguments: ["{id}//{index}", "{id}/./{index}", ".reconciled/{id}/{index}", "{id}/.reconciled{index}"])
    func aPathThatNoChunkCanHaveIsRefused(pattern: String) throws {
        let error = #expect(throws: SettingsError.self) { try read(Self.directory + ", pattern: \"\(pattern)\"") }
        #expect(error?.key == "stores.acme.pattern" && error?.problem == "no chunk can have such a path")
    }

    /// One frees what it has published: that must not be another's.
    @Test(arguments: [
        ("/a", "/b", "/c", "/a", "target"), ("/a", "/b", "/b/x", "/c", "chunks"), ("/a", "/b", "/a", "/c", "chunks"),
        ("/a", "/b", "/a/x", "/c", "chunks"), ("/a", "/b", "/c", "/b", nil), ("/a", "/b", "/c", "/d", nil),
    ])
    func storesThatTakeEachOthersFilesAreTold(
        chunks: String, target: String, otherChunks: String, otherTarget: String, key: String?
    ) throws {
        let pattern = ", pattern: \"{name}_{index}\""
        let first = try read("kind: directory, chunks: \(chunks), target: \(target)" + pattern)
        let second = try read("kind: directory, chunks: \(otherChunks), target: \(otherTarget)" + pattern)
        #expect(second.directoryProblem(beside: first)?.key == key)
    }

    @Test func chunksThatAnIdNamesMayLieTogether() throws {
        let first = try read("kind: directory, chunks: /a, target: /b, pattern: \"{id}/{index}\"")
        let second = try read("kind: directory, chunks: /a, target: /c, pattern: \"{id}/{index}\"")
        #expect(second.directoryProblem(beside: first) == nil)
    }

    /// One name may begin with the other; it is another directory all the same.
    @Test(arguments: [("/data/chunks", "/data/files"), ("/data/c", "/data/chunks"), ("/data/files..", "/data/files")])
    func rootsBesideEachOtherAreRead(chunks: String, target: String) throws {
        let store = try read("kind: directory, chunks: \(chunks), target: \(target)")
        #expect(store.kind == .directory(.init(chunks: chunks, target: target)))
    }

    @Test func mistakesNameKeyLineAndWhatIsAllowed() throws {
        let cases: [(String, String)] = [
            ("chunks: /c", "kind"), ("kind: azure", "kind"), ("kind: directory, chunks: /c", "target"),
            ("kind: directory, target: /c", "chunks"), ("kind: directory, chunks: /c/./, target: //c", "target"),
            ("kind: directory, chunks: /c, target: /c/files", "target"),
            ("kind: directory, chunks: /c/chunks/, target: //c", "target"),
            ("kind: directory, chunks: /, target: /t", "target"),
            ("kind: directory, chunks: c, target: ./c/t", "target"),
            ("kind: directory, chunks: /c, target: /t/../c/t", "target"),
            ("kind: directory, chunks: /t/.., target: /t", "chunks"),
            (Self.directory + ", pattern: \"{id}\"", "pattern"), (Self.directory + ", pattern: \"{index}\"", "pattern"),
            (Self.directory + ", pattern: \"/{id}/{index}\"", "pattern"),
            (Self.directory + ", pattern: \"{user}/{id}/{index}\"", "pattern"),
            (Self.directory + ", pattern: \"{index}/{id}\"", "pattern"),
            (Self.directory + ", pattern: \"{id}/{index}.{index}\"", "pattern"),
            (Self.directory + ", layout: blob", "layout"), (Self.directory + ", firstIndex: 2", "firstIndex"),
            (Self.directory + ", bucket: b", "bucket"), (Self.directory + ", expireAfter: 0s", "expireAfter"),
            (Self.directory + ", dryRun: maybe", "dryRun"), (Self.directory + ", cadence: []", "cadence"),
            (Self.directory + ", quiescence: 5", "quiescence"),
            (Self.s3 + ", addressing: dns", "addressing"), (Self.s3 + ", chunks: /c", "chunks"),
            (Self.s3.replacing("bucket: b", with: "bucket: \"a/b\""), "bucket"),
            (Self.s3.replacing("https://s3.example", with: "https://u:p@s3.example"), "endpoint"),
            (Self.s3.replacing("https://s3.example", with: "https://s3.example/?x=y"), "endpoint"),
            (Self.s3.replacing("https://s3.example", with: "http://s3.example"), "endpoint"),
            (Self.s3.replacing("region: r, ", with: ""), "region"),
            (Self.s3.replacing(", secretKey: s", with: ""), "secretKey"),
            (Self.s3 + ", secretKeyFile: /x", "secretKey"),
        ]
        for (text, key) in cases {
            let error = #expect(throws: SettingsError.self, "\(text)") { try read(text) }
            #expect(error?.key == "stores.acme.\(key)", "\(text): \(String(describing: error))")
            #expect(error?.line == 2)
            #expect(error?.allowed.isEmpty == false)
        }
    }
}
