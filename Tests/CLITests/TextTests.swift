import JSON
import Logging
import Payments
import Synchronization
import Testing
import Timeline

@testable import ReconciledCLI

@Suite struct TextTests {
    @Test func tablesAreAligned() {
        var table = TextTable([.init("ID"), .init("N", .right), .init("WHY")])
        table.add(["a", "1", nil])
        table.add(["订单", "1000", "x\u{1B}[31m\ny"])
        #expect(
            table.rendered(usesColour: false) == """
                ID       N  WHY
                a        1  –
                订单  1000  x\\u{1b}[31m\\ny

                """)
        var coloured = TextTable([.init("A")])
        coloured.add(["b"], style: .red)
        #expect(coloured.rendered(usesColour: true) == "\u{1B}[1mA\u{1B}[0m\n\u{1B}[31mb\u{1B}[0m\n")
    }

    @Test func jsonIsEscaped() throws {
        let nasty = "a\"\\\n\t\u{1}\u{7f}é😀"
        #expect(try JSONValue(parsing: JSONText.quoted(nasty)) == .string(nasty))
        #expect(JSONText.object(["a": "1", "b": JSONText.quoted(String?.none)]) == "{\"a\":1,\"b\":null}")
    }

    @Test(arguments: [
        ("1999", "EUR", "19.99 EUR"), ("5", "JPY", "5 JPY"), ("5", "EUR", "0.05 EUR"), ("1234", "BHD", "1.234 BHD"),
        ("100", "EUR", "1.00 EUR"),
    ])
    func amountsAreShownByTheirCurrency(minor: String, currency: String, shown: String) throws {
        let order = RowText(try JSONValue(parsing: "{\"amount_minor\": \(minor), \"currency\": \"\(currency)\"}"))
        #expect(OrdersWatch.amount(of: order) == shown)
    }

    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        func append(_ line: String) { lines.withLock { $0.append(line) } }
        var all: [String] { lines.withLock { $0 } }
    }

    @Test(arguments: [
        (
            LogFormat.json,
            #"{"time":"2026-11-23T14:02:11Z","level":"warning","logger":"l","message":"it \"broke\"","a":"1 2\n","id":"o-1","_level":"x"}"#
        ),
        (LogFormat.text, #"2026-11-23T14:02:11Z WARNING  it "broke" a="1 2\n" id=o-1 level=x"#),
    ])
    func logLinesAreLines(format: LogFormat, line: String) {
        let lines = Lines()
        var logger = Logger(label: "l") { label in
            LineLogHandler(
                label: label, format: format, usesColour: false, now: { Timestamp("2026-11-23T14:02:11Z")! },
                write: { lines.append($0) })
        }
        logger[metadataKey: "id"] = "o-1"
        logger.warning("it \"broke\"", metadata: ["a": "1 2\n", "level": "x"])
        logger.debug("not this")
        #expect(lines.all == [line + "\n"])
    }

    @Test(arguments: [
        (["--config", "c", "run"], ["run", "--config", "c"]),
        (["--config=c", "status", "--json"], ["status", "--config=c", "--json"]),
        (["run", "--config", "c"], ["run", "--config", "c"]),
        (["run", "--embedded", "/d", "--migrate"], ["run", "--embedded=/d", "--migrate"]),
        (["run", "--migrate", "--embedded", "/d"], ["run", "--migrate", "--embedded=/d"]),
        (["run", "--embedded=/d"], ["run", "--embedded=/d"]),
        (["nudge", "orders", "--embedded", "/d", "a"], ["nudge", "orders", "--embedded=/d", "a"]),
        (["nudge", "orders", "a", "b", "--embedded", "/d"], ["nudge", "orders", "a", "b", "--embedded=/d"]),
        (["show", "--embedded", "/d", "orders", "a"], ["show", "--embedded=/d", "orders", "a"]),
        (["--help"], ["--help"]),
        (["nudge", "orders", "--", "--embedded"], ["nudge", "orders", "--", "--embedded"]),
    ])
    func commonOptionsMayStandAnywhere(words: [String], normalised: [String]) {
        #expect(CommandLineWords.normalised(words) == normalised)
    }

    @Test func embeddedHasADefault() {
        let directory = EmbeddedPostgres.defaultDirectory
        #expect(CommandLineWords.normalised(["run", "--embedded"]) == ["run", "--embedded=\(directory)"])
        #expect(
            CommandLineWords.normalised(["list", "orders", "--embedded", "--json"])
                == ["list", "orders", "--embedded=\(directory)", "--json"])
        #expect(
            CommandLineWords.normalised(["show", "--embedded", "--", "orders"])
                == ["show", "--embedded=\(directory)", "--", "orders"])
    }
}
