/// A line for people, not coloured yet: it can still be measured and cut.
struct TextLine: Equatable, Sendable {
    var text: String
    var style: Style?

    init(_ text: String, _ style: Style? = nil) {
        self.text = text
        self.style = style
    }

    func rendered(usesColour: Bool) -> String {
        guard usesColour, let style else { return text }
        return style.applied(to: text)
    }

    /// At most `width` cells of a terminal; what is missing is an ellipsis.
    func cut(to width: Int) -> TextLine {
        guard TerminalText.width(text) > width else { return self }
        var kept = ""
        var left = width - 1
        for character in text {
            left -= TerminalText.width(String(character))
            guard left >= 0 else { break }
            kept.append(character)
        }
        return TextLine(width > 0 ? kept + "…" : "", style)
    }
}

/// Lines that stand together, such as a table under its head.
struct TextBlock: Equatable, Sendable {
    var head: TextLine?
    var rows: [TextLine]

    var lines: [TextLine] { (head.map { [$0] } ?? []) + rows }

    /// With a line break after each line.
    func rendered(usesColour: Bool) -> String {
        lines.map { $0.rendered(usesColour: usesColour) + "\n" }.joined()
    }

    /// At most `count` rows, the last of which says how many are missing. Those that are marked by a style stay longest:
    /// what is wrong must not be hidden by what is right.
    func cut(toRows count: Int) -> [TextLine] {
        guard rows.count > count else { return rows }
        guard count > 0 else { return [] }
        let marked = rows.indices.filter { rows[$0].style != nil }
        let kept = (marked + rows.indices.filter { rows[$0].style == nil }).prefix(count - 1).sorted()
        return kept.map { rows[$0] } + [TextLine("… \(rows.count - kept.count) more", .dim)]
    }
}
