extension MetricsRegistry {
    /// The content type of `text`.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// All metrics, sorted by name and labels so that two scrapes compare.
    ///
    /// Source: prometheus.io/docs/instrumenting/exposition_formats, "Text-based format".
    public func text() -> String {
        var text = ""
        for (name, family) in snapshot.sorted(by: { $0.key < $1.key }) where !family.series.isEmpty {
            text += "# HELP \(name) \(Self.escapedHelp(family.help))\n# TYPE \(name) \(family.kind.rawValue)\n"
            let series = family.series.map { (labels: $0.key, cell: $0.value) }
            for (labels, cell) in series.sorted(by: { Self.precedes($0.labels, $1.labels) }) {
                switch cell {
                case .counter(let counter): text += Self.line(name, labels, counter.value)
                case .gauge(let gauge): text += Self.line(name, labels, gauge.value)
                case .histogram(let histogram): text += Self.lines(name, labels, histogram)
                }
            }
        }
        return text
    }

    private static func lines(_ name: String, _ labels: [Label], _ histogram: HistogramCell) -> String {
        let counts = histogram.snapshot
        var text = ""
        var cumulated: Int64 = 0
        for (bound, count) in zip(histogram.bounds + [.infinity], counts.buckets) {
            cumulated += count
            text += line(name + "_bucket", labels + [Label(name: "le", value: number(bound))], Double(cumulated))
        }
        text += line(name + "_sum", labels, counts.sum)
        return text + line(name + "_count", labels, Double(cumulated))
    }

    private static func line(_ name: String, _ labels: [Label], _ value: Double) -> String {
        guard !labels.isEmpty else { return "\(name) \(number(value))\n" }
        let pairs = labels.map { "\($0.name)=\"\(escapedValue($0.value))\"" }.joined(separator: ",")
        return "\(name){\(pairs)} \(number(value))\n"
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value), abs(whole) < 1 << 53 { return String(whole) }
        return "\(value)"
    }

    private static func precedes(_ a: [Label], _ b: [Label]) -> Bool {
        a.lexicographicallyPrecedes(b) { ($0.name, $0.value) < ($1.name, $1.value) }
    }

    private static func escapedHelp(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
    }

    private static func escapedValue(_ text: String) -> String {
        escapedHelp(text).replacing("\"", with: "\\\"")
    }

    /// Letters, digits, `_` and `:`, no digit first; everything else becomes `_`.
    static func metricName(_ name: String) -> String { sanitised(name, colon: true) }

    static func labelName(_ name: String) -> String { sanitised(name, colon: false) }

    private static func sanitised(_ name: String, colon: Bool) -> String {
        func isAllowed(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: colon && byte == UInt8(ascii: ":")
            }
        }
        let startsWell = name.utf8.first.map { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false
        if startsWell && name.utf8.allSatisfy(isAllowed) { return name }
        let rest = String(decoding: name.utf8.map { isAllowed($0) ? $0 : UInt8(ascii: "_") }, as: UTF8.self)
        return startsWell ? rest : "_" + rest
    }
}
