/// Rows in aligned columns under a head, for people.
struct TextTable {
    enum Alignment {
        case left, right
    }

    struct Column {
        var title: String
        var alignment: Alignment
        /// On a narrow screen the lowest is left out first; nil for what stays.
        var leavesAt: Int?

        init(_ title: String, _ alignment: Alignment = .left, leavesAt: Int? = nil) {
            self.title = title
            self.alignment = alignment
            self.leavesAt = leavesAt
        }
    }

    private let columns: [Column]
    private var rows: [[String]] = []
    /// The style of a row's cells, by its number.
    private var styles: [Int: Style] = [:]

    init(_ columns: [Column]) {
        self.columns = columns
    }

    var isEmpty: Bool { rows.isEmpty }

    /// - Parameter cells: one for each column; nil is shown as a dash.
    mutating func add(_ cells: [String?], style: Style? = nil) {
        precondition(cells.count == columns.count, "a row has as many cells as the table has columns")
        styles[rows.count] = style
        rows.append(cells.map { TerminalText.printable($0 ?? "–") })
    }

    /// With a line break after each row.
    func rendered(usesColour: Bool) -> String { block().rendered(usesColour: usesColour) }

    /// Without blanks at the ends of lines.
    ///
    /// - Parameter room: cells of a line that are seen. Columns leave until the rest fit; lines may still be longer, for the
    ///   end of the last column is what can be cut best.
    func block(fitting room: Int = .max) -> TextBlock {
        let titles = columns.map(\.title)
        var widths = columns.indices.map { index in
            ([titles] + rows).map { TerminalText.width($0[index]) }.max() ?? 0
        }
        let kept = staying(widths, room)
        if let first = kept.first, let last = kept.last, first != last {
            // The first shares with the last what the others leave; a few cells of it are there in any case.
            let left = max(0, room - Self.width(kept.dropFirst().dropLast().map { widths[$0] } + [0, 0]))
            widths[first] = min(widths[first], max(left - widths[last], left / 2, 4))
        }
        func line(_ cells: [String], style: Style?) -> TextLine {
            var line = ""
            for index in kept {
                let cell = TextLine(cells[index]).cut(to: widths[index]).text
                let padding = String(repeating: " ", count: widths[index] - TerminalText.width(cell))
                line += columns[index].alignment == .right ? padding + cell : cell + padding
                if index != kept.last { line += Self.gap }
            }
            while line.last == " " { line.removeLast() }
            return TextLine(line, style)
        }
        return TextBlock(
            head: line(titles, style: .bold),
            rows: rows.enumerated().map { line($0.element, style: styles[$0.offset]) })
    }

    private static let gap = "  "

    /// The numbers of the columns that there is room for, and of those that never leave.
    private func staying(_ widths: [Int], _ room: Int) -> [Int] {
        var kept = Array(columns.indices)
        let leaving = columns.indices.compactMap { index in
            columns[index].leavesAt.map { (rank: $0, index: index) }
        }.sorted { $0.rank < $1.rank }
        // A name is told by its beginning, and a long reason is no cause for a column to leave.
        var needed = widths
        if let first = kept.first { needed[first] = min(needed[first], 12) }
        if let last = kept.last { needed[last] = min(needed[last], 24) }
        for column in leaving {
            guard Self.width(kept.map { needed[$0] }) > room else { break }
            kept.removeAll { $0 == column.index }
        }
        return kept
    }

    /// Of a line whose columns are so wide.
    private static func width(_ columns: [Int]) -> Int {
        columns.reduce(0, +) + max(0, columns.count - 1) * gap.count
    }
}
