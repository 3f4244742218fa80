import Foundation
import Settings
import Testing
import Timeline

@Suite struct SettingsValueTests {
    private func root(_ yaml: String) throws -> SettingsSection {
        try SettingsDocument(yaml: yaml, fileName: "c.yaml", environment: [:]).root
    }

    @Test func readsEveryKindOfValue() throws {
        var root = try root(
            """
            text: 007
            norway: no
            duration: 1m30s
            steps: [5s, 30s]
            number: -12
            flag: true
            at: 2026-11-23T14:02:11Z
            size: 512KiB
            bytes: 12
            rate: 25/s
            list: [a, "b, c"]
            one: alone
            headers: { authorization: "Bearer x", n: null }
            states: { PAID: [paid, done], CLOSED: void }
            absent: null
            quoted: "null"
            """)
        #expect(try root.string("text") == "007")
        #expect(try root.string("norway") == "no")
        #expect(try root.duration("duration", in: .zero ... .seconds(3_600)) == .seconds(90))
        #expect(try root.durations("steps", in: .zero ... .seconds(60)) == [.seconds(5), .seconds(30)])
        #expect(try root.integer("number", in: -20...20) == -12)
        #expect(try root.boolean("flag") == true)
        #expect(try root.timestamp("at") == Timestamp("2026-11-23T14:02:11Z"))
        #expect(try root.size("size", in: 0...(1 << 30)) == 524_288)
        #expect(try root.size("bytes", in: 0...(1 << 30)) == 12)
        #expect(try root.rate("rate") == Rate(count: 25, per: .seconds(1)))
        #expect(try root.strings("list") == ["a", "b, c"])
        #expect(try root.strings("one") == ["alone"])
        #expect(try root.stringMap("headers") == ["authorization": "Bearer x"])
        #expect(try root.stringLists("states") == ["PAID": ["paid", "done"], "CLOSED": ["void"]])
        #expect(try root.string("absent") == nil)
        #expect(try root.string("quoted") == "null")
        #expect(try root.string("nowhere") == nil)
        #expect(try root.section("nothing") == nil)
        try root.finish()
    }

    @Test func jsonIsYAMLToo() throws {
        var root = try root(#"{"database": {"url": "postgres:\/\/h/d", "poolSize": 4}, "list": ["a"]}"#)
        var database = try #require(try root.section("database"))
        #expect(try database.string("url") == "postgres://h/d")
        #expect(try database.integer("poolSize", in: 1...9) == 4)
        try database.finish()
        #expect(try root.strings("list") == ["a"])
        try root.finish()
    }

    @Test(arguments: ["", "# nothing\n", "---\n", "null"]) func anEmptyDocumentIsAnEmptyMap(yaml: String) throws {
        var root = try root(yaml)
        #expect(try root.string("a") == nil)
        try root.finish()
    }

    @Test func anAliasStandsForItsAnchor() throws {
        var root = try root("a: &steps [1s, 2s]\nb: *steps\nevents: [\"order.*\", \"upload.*\"]\nurl: http://h/?a&b=*c")
        #expect(try root.durations("b", in: .zero ... .seconds(9)) == [.seconds(1), .seconds(2)])
        #expect(try root.strings("events") == ["order.*", "upload.*"])
    }

    @Test func namedSectionsKeepTheirOrderAndListsTheirLines() throws {
        var root = try root("gateways:\n  zeta: { kind: fixed }\n  alpha:\ntokens:\n  - name: a\n  - nam: b")
        #expect(try root.sections("gateways").map(\.name) == ["zeta", "alpha"])
        let tokens = try root.sectionList("tokens")
        #expect(tokens.map(\.path) == ["tokens[0]", "tokens[1]"])
        var second = tokens[1]
        _ = try second.string("name")
        let error = #expect(throws: SettingsError.self) { try second.finish() }
        #expect(error?.description == "c.yaml:6: tokens[1].nam: unknown key, did you mean \"name\"?; allowed: name")
    }

    @Test func aSecretComesFromAFileBesideTheConfiguration() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("settings-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        for (text, expected) in [("s3cret\n", "s3cret"), ("s3cret\r\n", "s3cret"), ("a\n\n", "a\n"), ("a b", "a b")] {
            try text.write(to: directory.appendingPathComponent("key"), atomically: true, encoding: .utf8)
            let document = try SettingsDocument(
                yaml: "kFile: key", fileName: directory.path + "/c.yaml", environment: [:])
            var root = document.root
            #expect(try root.secret("k")?.value == expected)
            try root.finish()
        }
        try "\n".write(to: directory.appendingPathComponent("key"), atomically: true, encoding: .utf8)
        var root = try SettingsDocument(yaml: "kFile: key", fileName: directory.path + "/c.yaml", environment: [:]).root
        #expect(throws: SettingsError.self) { try root.secret("k") }
    }
}
