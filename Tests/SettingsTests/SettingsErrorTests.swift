import Settings
import Testing
import Timeline

/// One wrong value: the text, how it is read, and the message as a person sees it.
struct WrongValue: CustomTestStringConvertible, Sendable {
    var yaml: String
    var read: @Sendable (inout SettingsSection) throws -> Void
    var message: String

    var testDescription: String { message }

    init(_ yaml: String, _ message: String, _ read: @escaping @Sendable (inout SettingsSection) throws -> Void) {
        self.yaml = yaml
        self.message = message
        self.read = read
    }
}

private enum Colour: String, CaseIterable { case red, green }

private let durationsAllowed = "250ms, 3s, 1m30s, 24h, 7d between 1ms and 1h"
private let range: ClosedRange<Duration> = .milliseconds(1) ... .seconds(3_600)

private let wrongValues: [WrongValue] = [
    .init("a: 1\nt: 10 parsecs", "c.yaml:2: t: \"10 parsecs\" is not a duration; allowed: \(durationsAllowed)") {
        _ = try $0.string("a")
        _ = try $0.duration("t", in: range)
    },
    .init("t: 2h", "c.yaml:1: t: 2h is out of range; allowed: \(durationsAllowed)") {
        _ = try $0.duration("t", in: range)
    },
    .init("t: 5", "c.yaml:1: t: \"5\" is not a duration; allowed: \(durationsAllowed)") {
        _ = try $0.duration("t", in: range)
    },
    .init("t: -5s", "c.yaml:1: t: \"-5s\" is not a duration; allowed: \(durationsAllowed)") {
        _ = try $0.duration("t", in: range)
    },
    .init("t: {}", "c.yaml:1: t: the value is a map; allowed: \(durationsAllowed)") {
        _ = try $0.duration("t", in: range)
    },
    .init("t:\n  - 1s\n  - soon", "c.yaml:3: t: \"soon\" is not a duration; allowed: \(durationsAllowed)") {
        _ = try $0.durations("t", in: range)
    },
    .init("t: []", "c.yaml:1: t: the list is empty; allowed: a list of \(durationsAllowed)") {
        _ = try $0.durations("t", in: range)
    },
    .init("n: 017", "c.yaml:1: n: \"017\" is not a whole number; allowed: a whole number between 1 and 99") {
        _ = try $0.integer("n", in: 1...99)
    },
    .init("n: 0x1F", "c.yaml:1: n: \"0x1F\" is not a whole number; allowed: a whole number between 1 and 99") {
        _ = try $0.integer("n", in: 1...99)
    },
    .init("n: .nan", "c.yaml:1: n: \".nan\" is not a whole number; allowed: a whole number between 1 and 99") {
        _ = try $0.integer("n", in: 1...99)
    },
    .init("n: 1_0", "c.yaml:1: n: \"1_0\" is not a whole number; allowed: a whole number between 1 and 99") {
        _ = try $0.integer("n", in: 1...99)
    },
    .init("n: 100", "c.yaml:1: n: 100 is out of range; allowed: a whole number between 1 and 99") {
        _ = try $0.integer("n", in: 1...99)
    },
    .init(
        "n: 99999999999999999999",
        "c.yaml:1: n: \"99999999999999999999\" is not a whole number; allowed: a whole number between 1 and 99"
    ) { _ = try $0.integer("n", in: 1...99) },
    .init("b: yes", "c.yaml:1: b: \"yes\" is not a truth value; allowed: true or false") { _ = try $0.boolean("b") },
    .init("b: 1", "c.yaml:1: b: \"1\" is not a truth value; allowed: true or false") { _ = try $0.boolean("b") },
    .init(
        "t: yesterday",
        "c.yaml:1: t: \"yesterday\" is not a time; allowed: a time as in RFC 3339, such as 2026-11-23T14:02:11Z"
    ) { _ = try $0.timestamp("t") },
    .init(
        "s: 1GB",
        "c.yaml:1: s: \"1GB\" is not a size; allowed: a size such as 512KiB, 1GiB or a number of bytes, between 0 and 1GiB"
    ) { _ = try $0.size("s", in: 0...(1 << 30)) },
    .init(
        "s: 2GiB",
        "c.yaml:1: s: 2GiB is out of range; allowed: a size such as 512KiB, 1GiB or a number of bytes, between 0 and 1GiB"
    ) { _ = try $0.size("s", in: 0...(1 << 30)) },
    .init(
        "r: 0/s",
        "c.yaml:1: r: \"0/s\" is not a rate; allowed: a rate such as 25/s, 100/m or 1000/h, with a count between 1 and 1000000"
    ) { _ = try $0.rate("r") },
    .init("c: blue", "c.yaml:1: c: \"blue\" is not a choice; allowed: red, green") {
        _ = try $0.choice("c", Colour.self)
    },
    .init("s: [a]", "c.yaml:1: s: the value is a list; allowed: a text") { _ = try $0.string("s") },
    .init("s: \"a\\0b\"", "c.yaml:1: s: the value holds a NUL byte; allowed: a text") { _ = try $0.string("s") },
    .init("s: ''", "c.yaml:1: s: the key is required; allowed: a text that is not empty") {
        _ = try $0.requiredString("s")
    },
    .init("l: [[a]]", "c.yaml:1: l: the value is a list; allowed: a list of texts") { _ = try $0.strings("l") },
    .init("m:\n  a: [b]", "c.yaml:2: m.a: the value is a list; allowed: a text") { _ = try $0.stringMap("m") },
    .init("m: x", "c.yaml:1: m: the value is a single value; allowed: a map") { _ = try $0.stringLists("m") },
    .init("g: x", "c.yaml:1: g: the value is a single value; allowed: a map of settings") { _ = try $0.section("g") },
    .init("g: [x]", "c.yaml:1: g: the value is a list; allowed: a map of named sections") { _ = try $0.sections("g") },
    .init("g:\n  a: 1", "c.yaml:2: g.a: the value is a single value; allowed: a map of settings") {
        _ = try $0.sections("g")
    },
    .init(
        "g:\n  \"a b\": {}",
        "c.yaml:2: g: \"a b\" is not a name; "
            + "allowed: 1 to 63 letters, digits, \".\", \"_\" and \"-\", a letter or digit first"
    ) { _ = try $0.sections("g") },
    .init("g: {}", "c.yaml:1: g: the value is a map; allowed: a list of maps") { _ = try $0.sectionList("g") },
    .init("k: a\nkFile: b", "c.yaml:1: k: kFile is given as well; allowed: one of k, kFile") {
        _ = try $0.secret("k")
    },
    .init(
        "kFile: /nonexistent/key",
        "c.yaml:1: kFile: the file \"/nonexistent/key\" cannot be read; allowed: a file that this process may read"
    ) { _ = try $0.secret("k") },
    .init("url: x\nurk: y", "c.yaml:2: urk: unknown key, did you mean \"url\"?; allowed: url, poolSize") {
        _ = try $0.string("url")
        _ = try $0.integer("poolSize", in: 1...9)
        try $0.finish()
    },
    .init("zebra: y", "c.yaml:1: zebra: unknown key; allowed: url") {
        _ = try $0.string("url")
        try $0.finish()
    },
]

@Suite struct SettingsErrorTests {
    @Test(arguments: wrongValues) func namesFileLineKeyAndWhatIsAllowed(_ wrong: WrongValue) throws {
        var root = try SettingsDocument(yaml: wrong.yaml, fileName: "c.yaml", environment: [:]).root
        let error = #expect(throws: SettingsError.self) { try wrong.read(&root) }
        #expect(error?.description == wrong.message)
    }

    @Test(arguments: [
        ("a: 1\nb: 2\na: 3", 3, "was given in line 1 already"),
        ("b:\n  a: {c: 1, c: 2}", 2, "was given in line 2 already"),
        ("a: 1\n\"a\": 3", 2, "was given in line 1 already"),
        ("a:\n\tb: 1", 2, "indented with a tab"),
        ("a: [1, 2", 2, "did not find"),
        ("a: 1\n--- \nb: 2", 2, "another document"),
        ("- 1", 1, "the document is a list"),
        ("a: !env X", 1, "the tag"),
        ("? [1, 2]\n: 3", 1, "not a word"),
        ("a: *b", 1, "undefined alias"),
    ])
    func refusesWhatIsNoMapOfSettings(yaml: String, line: Int, problem: String) {
        let error = #expect(throws: SettingsError.self) {
            try SettingsDocument(yaml: yaml, fileName: "c.yaml", environment: [:])
        }
        #expect(error?.line == line, "\(String(describing: error))")
        #expect(error?.problem.contains(problem) == true, "\(String(describing: error))")
    }

    @Test func aBombOfAliasesIsRefusedAtOnce() {
        var yaml = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
        for level in 1...9 {
            yaml += "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", "))]\n"
        }
        #expect(throws: SettingsError.self) {
            try SettingsDocument(yaml: yaml, fileName: "c.yaml", environment: [:])
        }
        #expect(throws: SettingsError.self) {
            let nested = String(repeating: "[", count: 5_000) + String(repeating: "]", count: 5_000)
            _ = try SettingsDocument(yaml: "a: \(nested)", fileName: "c.yaml", environment: [:])
        }
    }

    @Test func aSecretIsNeverShown() throws {
        var root = try SettingsDocument(yaml: "k: [hunter2]", fileName: "c.yaml", environment: [:]).root
        let error = #expect(throws: SettingsError.self) { try root.secret("k") }
        #expect(error?.description.contains("hunter2") == false)
        let secret = Secret("hunter2")
        var dumped = ""
        dump(["secret": secret], to: &dumped)
        #expect(!dumped.contains("hunter2") && !"\(secret) \(String(reflecting: secret))".contains("hunter2"))
    }

    @Test func theCallersOwnErrorsCarryTheLineOfTheKeyOrTheSection() throws {
        let yaml = "a: 1\ngateways:\n  acme:\n    kind: http\n    url: nowhere"
        var root = try SettingsDocument(yaml: yaml, fileName: "c.yaml", environment: [:]).root
        let acme = try #require(try root.sections("gateways").first).section
        #expect(
            acme.error("url", problem: "no scheme", allowed: "https://").description
                == "c.yaml:5: gateways.acme.url: no scheme; allowed: https://")
        #expect(acme.error("missing", problem: "p", allowed: "a").line == 3)
        #expect(acme.error(nil, problem: "p", allowed: "a").key == "gateways.acme")
    }
}
