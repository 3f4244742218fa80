/// One or two lines over the last hour, as an SVG image. Made of numbers and our own words only.
struct Chart: Sendable {
    struct Line: Sendable {
        var name: String
        /// One a step, oldest first; nil where there is nothing to show.
        var values: [Double?]
    }

    var title: String
    var lines: [Line]
    /// A value as people read it.
    var text: @Sendable (Double) -> String

    private static let width = 360.0
    private static let height = 120.0
    private static let left = 44.0
    private static let right = 4.0
    private static let top = 8.0
    private static let bottom = 18.0

    /// The newest values in words.
    var latest: String {
        lines.map { line in "\(line.name) \(line.values.last.flatMap { $0 }.map(text) ?? "–")" }.joined(
            separator: " · ")
    }

    /// The lines by name, with their newest values; with a key to each where they are two.
    var keys: [Model] {
        lines.enumerated().map { index, line in
            ["name": line.name, "latest": line.values.last.flatMap { $0 }.map(text) ?? "–"]
                .with("key", lines.count == 1 ? nil : Self.names[index % Self.names.count])
        }
    }

    private static let names = ["first", "second"]

    var svg: String {
        let top = Self.ceiling(lines.flatMap(\.values).compactMap(\.self).max() ?? 0)
        let plot = Self.height - Self.top - Self.bottom
        var svg = """
            <svg viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" role="img" aria-label="\(title): \(latest)">
            """
        for share in [0.0, 0.5, 1.0] {
            let y = Self.number(Self.top + plot * (1 - share))
            svg += #"<line class="grid" x1="\#(Int(Self.left))" x2="\#(Int(Self.width))" y1="\#(y)" y2="\#(y)"/>"#
            svg += #"<text x="\#(Int(Self.left) - 5)" y="\#(y)" dy="3" text-anchor="end">\#(text(top * share))</text>"#
        }
        let base = Int(Self.height) - 4
        svg += #"<text x="\#(Int(Self.left))" y="\#(base)">an hour ago</text>"#
        svg += #"<text x="\#(Int(Self.width))" y="\#(base)" text-anchor="end">now</text>"#
        for (index, line) in lines.enumerated() {
            let paths = Self.paths(line.values, top: top, plot: plot)
            if index == 0, lines.count == 1 { svg += #"<path class="area" d="\#(paths.area)"/>"# }
            let second = index == 0 ? "" : " second"
            svg += #"<path class="line\#(second)" d="\#(paths.line)"/>"#
            for dot in paths.dots { svg += #"<circle class="dot\#(second)" cx="\#(dot.x)" cy="\#(dot.y)" r="2"/>"# }
        }
        return svg + "</svg>"
    }

    /// A round number that is not below `value`, and above zero.
    static func ceiling(_ value: Double) -> Double {
        guard value > 0, value.isFinite else { return 1 }
        var unit = 1e-6
        while unit * 10 < value { unit *= 10 }
        return ([1, 2, 5, 10].first { unit * $0 >= value } ?? 10) * unit
    }

    /// - Returns: also a dot for each value between two gaps, of which a line shows nothing.
    private static func paths(
        _ values: [Double?], top: Double, plot: Double
    ) -> (line: String, area: String, dots: [(x: String, y: String)]) {
        let step = (width - left - right) / Double(max(1, values.count - 1))
        let base = number(Self.top + plot)
        var line = ""
        var area = ""
        var dots: [(x: String, y: String)] = []
        var begin: String?
        var end = ""
        for (index, value) in values.enumerated() {
            guard let value, value.isFinite else {
                if begin != nil { area += "L\(end) \(base)Z" }
                begin = nil
                continue
            }
            let standsAlone = begin == nil && (index + 1 == values.count || values[index + 1]?.isFinite != true)
            let x = number(left + Double(index) * step)
            let y = number(Self.top + plot * (1 - min(max(value / top, 0), 1)))
            line += "\(begin == nil ? "M" : "L")\(x) \(y)"
            if standsAlone { dots.append((x, y)) }
            area += begin == nil ? "M\(x) \(base)L\(x) \(y)" : "L\(x) \(y)"
            begin = begin ?? x
            end = x
        }
        if begin != nil { area += "L\(end) \(base)Z" }
        return (line, area, dots)
    }

    private static func number(_ value: Double) -> String { String((value * 10).rounded() / 10) }
}
