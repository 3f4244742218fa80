import Settings
import Testing

@Suite struct SettingsEnvironmentTests {
    private func root(_ yaml: String = "", _ environment: [String: String]) throws -> SettingsSection {
        try SettingsDocument(yaml: yaml, fileName: "c.yaml", environment: environment).root
    }

    @Test func aVariableGoesBeforeTheFile() throws {
        var root = try root(
            "database: { url: a, poolSize: 4 }",
            ["RECONCILED_DATABASE_URL": "b", "PATH": "/bin", "RECONCILED_CONFIG": "x"])
        var database = try #require(try root.section("database"))
        #expect(try database.string("url") == "b")
        #expect(try database.integer("poolSize", in: 1...9) == 4)
        try database.finish()
        try root.finish()
    }

    @Test func sectionsMayComeFromTheEnvironmentAlone() throws {
        var root = try root(
            "gateways: { stripe-eu: { kind: stripe } }",
            [
                "RECONCILED_GATEWAYS_TRIAL_KIND": "fixed", "RECONCILED_GATEWAYS_TRIAL_DELAY": "5ms",
                "RECONCILED_GATEWAYS_STRIPE_EU_SECRET_KEY": "sk_1", "RECONCILED_GATEWAYS_ACME_PAY_KIND": "http",
                "RECONCILED_GATEWAYS_ACME_PAY_STATES_PAID": "paid, done",
                "RECONCILED_GATEWAYS_ACME_PAY_HEADERS_X_API_KEY": "k",
            ])
        var read: [String: String] = [:]
        for (name, section) in try root.sections("gateways") {
            var section = section
            read[name] = try section.string("kind")
            switch name {
            case "trial": #expect(try section.duration("delay", in: .zero ... .seconds(1)) == .milliseconds(5))
            case "stripe-eu": #expect(try section.secret("secretKey")?.value == "sk_1")
            default:
                #expect(try section.stringLists("states") == ["PAID": ["paid", "done"]])
                #expect(try section.stringMap("headers") == ["x-api-key": "k"])
            }
            try section.finish()
        }
        #expect(read == ["stripe-eu": "stripe", "trial": "fixed", "acme-pay": "http"])
        try root.finish()
    }

    @Test func listsAreSeparatedByCommasOrWrittenAsYAML() throws {
        var root = try root(
            "cadence: [9s]\nheaders: { authorization: a, accept: b }",
            [
                "RECONCILED_CADENCE": "5s, 30s", "RECONCILED_EVENTS": "[\"a,b\", c]", "RECONCILED_MAP": "{x: y}",
                "RECONCILED_HEADERS_AUTHORIZATION": "z", "RECONCILED_TOKENS_0_NAME": "ops",
                "RECONCILED_OTHERS": "[{name: a}, {name: b}]",
            ])
        #expect(try root.durations("cadence", in: .zero ... .seconds(60)) == [.seconds(5), .seconds(30)])
        #expect(try root.strings("events") == ["a,b", "c"])
        #expect(try root.stringMap("map") == ["x": "y"])
        #expect(try root.stringMap("headers") == ["authorization": "z", "accept": "b"])
        var tokens = try root.sectionList("tokens")
        #expect(tokens.count == 1)
        #expect(try tokens[0].string("name") == "ops")
        #expect(try root.sectionList("others").count == 2)
        try root.finish()
    }

    @Test func messagesNameTheVariable() throws {
        var root = try root("poolSize: 4", ["RECONCILED_POOL_SIZE": "many"])
        let error = #expect(throws: SettingsError.self) { try root.integer("poolSize", in: 1...9) }
        #expect(
            error?.description
                == "RECONCILED_POOL_SIZE: poolSize: \"many\" is not a whole number; "
                + "allowed: a whole number between 1 and 9")
    }

    @Test func aVariableThatNamesNothingIsRefused() throws {
        var root = try root(
            "",
            ["RECONCILED_DATABASE_URI": "x", "RECONCILED_TEST_X": "", "RECONCILED_SEED": "1", "RECONCILED_CONFIG": "c"])
        var database = try #require(try root.section("database"))
        _ = try database.string("url")
        try database.finish()
        let error = #expect(throws: SettingsError.self) { try root.finish() }
        #expect(error?.origin == "RECONCILED_DATABASE_URI")
        #expect(error?.description.contains("names no setting") == true)
    }

    @Test func anEmptyVariableCountsAsNotSet() throws {
        var root = try root("url: a", ["RECONCILED_URL": "", "RECONCILED_OTHER": ""])
        #expect(try root.string("url") == "a")
        #expect(try root.string("other") == nil)
        try root.finish()
    }

    @Test func theEnvironmentsSecretReplacesTheFiles() throws {
        var root = try root("kFile: /nonexistent", ["RECONCILED_K": "inline"])
        #expect(try root.secret("k")?.value == "inline")
        try root.finish()
    }

    @Test func aVariableWithTwoMeaningsIsRefused() throws {
        var root = try root("g: { a: {}, a-b: {} }", ["RECONCILED_G_A_B_C": "x"])
        var sections = try root.sections("g")
        _ = try sections[0].section.string("bC")
        let error = #expect(throws: SettingsError.self) { try sections[1].section.string("c") }
        #expect(error?.description.contains("also names g.a.bC") == true)
    }

    /// Names of sections and keys, made of the words that a path is made of, come back through the environment unchanged.
    @Test func everySpellingFindsItsWayBack() throws {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SplitMix64(state: seed)
        for _ in 0..<2_000 {
            let words = (0..<Int.random(in: 1...3, using: &generator)).map { _ in Self.word(&generator) }
            let name = words.joined(separator: "-")
            let keyWords = (0..<Int.random(in: 1...3, using: &generator)).map { _ in Self.word(&generator) }
            let key = keyWords[0] + keyWords.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
            let prefix = (["RECONCILED", "G"] + words.map { $0.uppercased() }).joined(separator: "_")
            let variable = ([prefix] + keyWords.map { $0.uppercased() }).joined(separator: "_")
            var root = try root("", [variable: "v", prefix + "_KIND": "k"])
            let sections = try root.sections("g")
            try #require(sections.count == 1, "seed \(seed), \(variable)")
            var section = sections[0].section
            #expect(sections[0].name == name, "seed \(seed), \(variable)")
            #expect(try section.string(key) == "v", "seed \(seed), \(variable)")
            _ = try section.string("kind")
            try section.finish()
            try root.finish()
        }
    }

    private static func word(_ generator: inout SplitMix64) -> String {
        let word = String(
            (0..<Int.random(in: 2...6, using: &generator)).map { _ in "abcdefgh".randomElement(using: &generator)! })
        return Bool.random(using: &generator) ? word : word + String(Int.random(in: 0...9, using: &generator))
    }
}

/// Sebastiano Vigna's splitmix64: a seed of one word gives the whole sequence.
private struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
