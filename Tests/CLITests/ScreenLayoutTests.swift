import Testing
import Timeline

@testable import ReconciledCLI

@Suite struct ScreenLayoutTests {
    private static func block(_ name: String, rows: Int) -> TextBlock {
        TextBlock(head: TextLine(name.uppercased()), rows: (0..<rows).map { TextLine("\(name)\($0)") })
    }

    private static func fit(_ rows: Int, _ blocks: TextBlock...) -> [String] {
        ScreenLayout.fit([TextLine("top")], blocks, TerminalSize(columns: 40, rows: rows)).map(\.text)
    }

    @Test(arguments: [
        ("abcdef", 6, "abcdef"), ("abcdef", 5, "abcd…"), ("abcdef", 1, "…"), ("abcdef", 0, ""),
        ("订单订单", 8, "订单订单"), ("订单订单", 7, "订单订…"), ("订单订单", 6, "订单…"),
    ])
    func linesAreCutByCells(text: String, width: Int, cut: String) {
        #expect(TextLine(text, .red).cut(to: width) == TextLine(cut, .red))
        #expect(TerminalText.width(cut) <= width)
    }

    @Test(arguments: [
        (10, [3, 4], [3, 4]), (10, [3, 40], [3, 7]), (10, [40, 3, 40], [4, 3, 3]), (2, [9, 9, 9], [1, 1, 0]),
        (0, [1], [0]), (-3, [1], [0]), (5, [0, 9], [0, 5]), (5, [], []),
    ])
    func roomIsSharedOut(room: Int, counts: [Int], shares: [Int]) {
        #expect(ScreenLayout.shares(of: room, among: counts) == shares)
    }

    @Test func longTablesSayHowMuchIsMissing() {
        #expect(
            Self.fit(9, Self.block("a", rows: 20), Self.block("b", rows: 1))
                == ["top", "", "A", "a0", "a1", "… 18 more", "", "B", "b0"])
    }

    @Test func whatFitsIsWhole() {
        #expect(
            Self.fit(8, Self.block("a", rows: 2), Self.block("b", rows: 1))
                == ["top", "", "A", "a0", "a1", "", "B", "b0"])
    }

    @Test func emptyLinesGoFirst() {
        #expect(
            Self.fit(6, Self.block("a", rows: 9), Self.block("b", rows: 1))
                == ["top", "A", "a0", "… 8 more", "B", "b0"])
    }

    @Test func whatIsWrongStays() {
        var block = Self.block("a", rows: 9)
        block.rows[7].style = .red
        #expect(block.cut(toRows: 3).map(\.text) == ["a0", "a7", "… 7 more"])
        #expect(block.cut(toRows: 2).map(\.text) == ["a7", "… 8 more"])
        #expect(block.cut(toRows: 1).map(\.text) == ["… 9 more"])
        #expect(block.cut(toRows: 9) == block.rows)
    }

    private static let lanes: TextTable = {
        var table = TextTable([
            .init("LANE"), .init("WATCH", leavesAt: 3), .init("DUE", .right, leavesAt: 4),
            .init("IN FLIGHT", .right, leavesAt: 1), .init("LATE", .right), .init("STATE"),
        ])
        table.add(["stripe-europe-west", "orders", "12", "0", "3m12s", "late by 3m12s"])
        table.add(["trial", "orders", "0", "0", nil, "runs"])
        return table
    }()

    /// What is late, and why, is seen as long as anything is.
    @Test(arguments: [
        (
            79,
            [
                "LANE                WATCH   DUE  IN FLIGHT   LATE  STATE",
                "stripe-europe-west  orders   12          0  3m12s  late by 3m12s",
                "trial               orders    0          0      –  runs",
            ]
        ),
        (
            39,
            [
                "LANE          DUE   LATE  STATE", "stripe-euro…   12  3m12s  late by 3m12s",
                "trial           0      –  runs",
            ]
        ),
        (19, ["LANE    LATE  STATE", "stri…  3m12s  late…", "trial      –  runs"]),
        (9, ["LANE   L…", "str…  3m…", "tri…    …"]),
    ])
    func whatMattersLeastLeavesANarrowTableFirst(columns: Int, lines: [String]) {
        let fitted = ScreenLayout.fit(
            [], [Self.lanes.block(fitting: columns)], TerminalSize(columns: columns, rows: 3))
        #expect(fitted.map(\.text) == lines)
    }

    /// A reason of a page is cut; it does not take the other columns with it.
    @Test func aLongReasonDrivesNoColumnOut() {
        var table = Self.lanes
        table.add(["odd", "orders", "0", "0", nil, "paused by ada: " + String(repeating: "why ", count: 200)])
        #expect(table.block(fitting: 79).head?.text == Self.lanes.block().head?.text)
    }

    @Test func noScreenIsTooSmall() {
        for rows in 0...40 {
            for columns in 0...20 {
                let size = TerminalSize(columns: columns, rows: rows)
                let lines = ScreenLayout.fit(
                    [TextLine("the top")],
                    [
                        Self.block("a", rows: 30), TextBlock(rows: []), Self.block("b", rows: 2),
                        Self.lanes.block(fitting: columns),
                    ], size)
                #expect(lines.count <= rows && lines.allSatisfy { TerminalText.width($0.text) <= columns })
            }
        }
    }

    @Test func thePictureSaysHowOldItIsWhenTheDatabaseIsAway() {
        let read = Timestamp("2026-11-23T14:02:11.25Z")!
        var picture = LivePicture(now: read + .seconds(1), interval: .seconds(1))
        let size = TerminalSize(columns: 120, rows: 10)
        #expect(picture.lines(size).map(\.text).last == "looking")
        picture.blocks = { _ in [Self.block("a", rows: 1)] }
        picture.readAt = read
        let title = "reconciled status  2026-11-23T14:02:12Z  every 1s, Ctrl-C ends"
        #expect(picture.lines(size).map(\.text) == [title, "", "A", "a0"])
        picture.now = read + .seconds(9)
        #expect(
            picture.lines(size)[1]
                == TextLine("waiting for the database for 8s; seen last: 2026-11-23T14:02:11Z", .red))
        picture.problem = "it\nbroke"
        #expect(picture.lines(size)[1] == TextLine("reconnecting: it\\nbroke; seen last: 2026-11-23T14:02:11Z", .red))
        #expect(picture.lines(size).last?.text == "a0")
    }
}
