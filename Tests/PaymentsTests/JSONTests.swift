import JSON
import TestSupport
import Testing

@testable import Payments

@Suite struct JSONTests {
    @Test func numbersStayTheTextTheyWere() throws {
        let document = try JSONValue(parsing: #"{"a":1999.0,"b":-0.10,"c":1e3,"d":[12345678901234567890123]}"#)
        #expect(document["a"] == .number("1999.0"))
        #expect(document["b"] == .number("-0.10"))
        #expect(document["c"] == .number("1e3"))
        #expect(JSONPath("$.d[0]")?.value(in: document) == .number("12345678901234567890123"))
    }

    @Test func stringsAreDecoded() throws {
        let document = try JSONValue(parsing: #""a\"\\\/\b\f\n\r\té\u00e9\ud83d\ude00\u0000""#)
        #expect(document == .string("a\"\\/\u{8}\u{C}\n\r\té\u{E9}\u{1F600}\u{0}"))
    }

    @Test(arguments: [
        "", " ", "{", "[1,]", "{\"a\":1,}", "{\"a\"}", "{a:1}", "01", "1.", ".5", "+1", "-", "1e", "0x1", "tru", "nul",
        "\"\\x\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"a\nb\"", "\"a", "'a'", "1 2", "NaN",
        "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "[1 2]", "\u{FEFF}1",
    ])
    func whatIsNotJSONIsRefused(text: String) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    }

    @Test func bytesThatAreNotUTF8AreRefused() {
        #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22, 0xC3, 0x28, 0x22]) }
        #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22, 0xED, 0xA0, 0x80, 0x22]) }
    }

    @Test func nestingIsBounded() throws {
        let depth = 64
        let fits = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        #expect(throws: Never.self) { try JSONValue(parsing: fits) }
        let deep = String(repeating: "[", count: 500_000)
        #expect(throws: JSONError.self) { try JSONValue(parsing: deep) }
    }

    /// What an application stored deeper down is left out of a row, and costs no stack.
    @Test func aRowIsReadWhateverItsNesting() throws {
        let (open, close) = (String(repeating: #"[{"a":"#, count: 100_000), String(repeating: "}]", count: 100_000))
        for inner in [#""]}\"x""#, "-1.5e3", "[]", "{}", #"true,"b":[1,{"c":null}]"#] {
            let row = try JSONValue(row: #"{"id":"x","metadata":"# + "\(open)\(inner)\(close)" + #","n":1}"#)
            #expect(row["id"] == .string("x") && row["n"] == .number("1"))
            #expect(row.text.contains(#""…""#) && row.text.utf8.count < 1_000)
        }
        let flat = #"{"id":"x","metadata":{"a":[1]}}"#
        #expect(try JSONValue(row: flat) == JSONValue(parsing: flat))
        for tail in ["", "}", "]", ",", ":", "x"] {
            #expect(throws: JSONError.self) { try JSONValue(row: String(repeating: "[", count: 100) + tail) }
        }
        let least = String(repeating: "[", count: 65)
        for inner in ["]", ",", ":", "}"] {
            #expect(throws: JSONError.self) {
                try JSONValue(row: least + inner + String(repeating: "]", count: 65))
            }
        }
    }

    /// Whatever is written is read back, and no damaged text crashes the reader.
    @Test func randomDocumentsSurviveTheRoundTrip() {
        var random = SeededRandom(seed: TestSeed.value)
        for _ in 0..<500 {
            let value = Self.value(depth: 0, &random)
            let text = value.text
            #expect(throws: Never.self, "seed \(TestSeed.value): \(text)") {
                let read = try JSONValue(parsing: text)
                #expect(read == value)
            }
            var bytes = Array(text.utf8)
            for _ in 0..<3 {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            _ = try? JSONValue(parsing: bytes)
        }
    }

    private static func value(depth: Int, _ random: inout SeededRandom) -> JSONValue {
        switch Int.random(in: depth > 3 ? 0..<4 : 0..<6, using: &random) {
        case 0: return .null
        case 1: return .bool(.random(using: &random))
        case 2: return .number(["0", "-1", "12.50", "1e3", "9223372036854775808"].randomElement(using: &random)!)
        case 3: return .string(["", "a\"b", "\\", "ü\u{1F600}", "\u{1}\n"].randomElement(using: &random)!)
        case 4:
            return .array((0..<Int.random(in: 0..<4, using: &random)).map { _ in value(depth: depth + 1, &random) })
        default:
            return .object(
                (0..<Int.random(in: 0..<4, using: &random)).map { .init("k\($0)", value(depth: depth + 1, &random)) })
        }
    }

    @Test func pathsFindTheirPlace() throws {
        let document = try JSONValue(parsing: #"{"a":{"b-c":[{"d":1},{"e f":2}]},"":3}"#)
        #expect(JSONPath("$")?.value(in: document) == document)
        #expect(JSONPath("$.a.b-c[0].d")?.value(in: document) == .number("1"))
        #expect(JSONPath("$.a['b-c'][1]['e f']")?.value(in: document) == .number("2"))
        #expect(JSONPath("$['']")?.value(in: document) == .number("3"))
        #expect(JSONPath("$.a.b-c[2]")?.value(in: document) == nil)
        #expect(JSONPath("$.a[0]")?.value(in: document) == nil)
        for text in ["", "a", "$a", "$.", "$[", "$[-1]", "$['a", "$.a b", "$..a", "$[99999999999999999999]", "$[*]"] {
            #expect(JSONPath(text) == nil, "\(text)")
        }
    }

    @Test func decimalsAreExact() {
        let cases: [(String, Int, Int64?)] = [
            ("1999", 0, 1_999), ("1999.0", 0, 1_999), ("19.99", 2, 1_999), ("0.1", 2, 10), ("1e3", 0, 1_000),
            ("1.5E+1", 0, 15), ("150e-1", 0, 15), ("19.99", 0, nil), ("19.999", 2, nil), ("-5", 2, -500), ("0", 2, 0),
            ("-0.00", 2, 0), ("0e999", 0, 0), ("1e999", 0, nil), ("1e99999", 0, nil), ("9223372036854775807", 0, .max),
            ("9223372036854775808", 0, nil), ("92233720368547758.07", 2, .max), ("92233720368547758.08", 2, nil),
            ("-9223372036854775808", 0, .min), ("1000e-3", 0, 1), ("1e-1", 0, nil), ("0.0010e3", 0, 1),
            ("", 0, nil), ("-", 0, nil), ("1.", 0, nil), (".5", 1, nil), ("1,5", 1, nil), (" 1", 0, nil),
            ("1 ", 0, nil),
            ("+1", 0, nil), ("1e", 0, nil), ("１", 0, nil), ("NaN", 0, nil), ("0x10", 0, nil), ("1.234", 3, 1_234),
            ("1.2345", 4, 12_345), ("٣", 0, nil), (String(repeating: "0", count: 64) + "1", 0, nil),
        ]
        for (text, places, expected) in cases {
            #expect(ExactDecimal.scaled(text, places: places) == expected, "\(text) by \(places)")
        }
    }

    @Test func currenciesHaveTheirExponents() {
        let exponents = ["EUR": 2, "JPY": 0, "KWD": 3, "CLF": 4, "UYW": 4, "ISK": 0, "HUF": 2, "TND": 3, "XCG": 2]
        for (code, exponent) in exponents { #expect(Currency.exponent(of: code) == exponent, "\(code)") }
        for code in ["eur", "", "EURO", "XXX", "XAU", "BTC", "DEM", "HRK"] {
            #expect(!Currency.isKnown(code), "\(code)")
        }
    }

    @Test func progressSurvivesAndGarbageCountsAsNothing() {
        let progress = OrderProgress(notFound: .init(count: 2, since: Sample.created), closeKey: "k\"1")
        #expect(OrderProgress(json: progress.json) == progress)
        #expect(OrderProgress().json == nil)
        for text in ["", "[]", "{}", #"{"not_found":{"count":-1,"since":"x"}}"#, #"{"not_found":7}"#] {
            #expect(OrderProgress(json: text) == OrderProgress())
        }
    }
}
