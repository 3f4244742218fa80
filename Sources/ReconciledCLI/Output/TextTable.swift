/// Rows in aligned columns under a head, for people.
struct TextTable {
    enum Alignment {
        case left, right
    }

    struct Column {
        var title: String
        var alignment: Alignment

        init(_ title: String, _ alignment: Alignment = .left) {
            self.title = title
            self.alignment = alignment
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
    func rendered(usesColour: Bool) -> String { block.rendered(usesColour: usesColour) }

    /// Without blanks at the ends of lines.
    var block: TextBlock {
        let titles = columns.map(\.title)
        let widths = columns.indices.map { index in
            ([titles] + rows).map { TerminalText.width($0[index]) }.max() ?? 0
        }
        func line(_ cells: [String], style: Style?) -> TextLine {
            var line = ""
            for (index, cell) in cells.enumerated() {
                let padding = String(repeating: " ", count: widths[index] - TerminalText.width(cell))
                line += columns[index].alignment == .right ? padding + cell : cell + padding
                if index < cells.count - 1 { line += "  " }
            }
            while line.last == " " { line.removeLast() }
            return TextLine(line, style)
        }
        return TextBlock(
            head: line(titles, style: .bold),
            rows: rows.enumerated().map { line($0.element, style: styles[$0.offset]) })
    }
}
