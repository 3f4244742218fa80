import Timeline

/// How the demo ended: each order against its truth.
struct DemoReport {
    struct Line {
        var status: String
        var reason: String?
        var count: Int
        /// An example of the scenarios that end so.
        var summaries: [String]
    }

    private(set) var lines: [Line] = []
    private(set) var wrong: [String] = []
    private(set) var atTheirTruth = 0
    private(set) var isOver = true
    private(set) var fixed = 0
    private(set) var fixedMedian: Duration?
    private(set) var fixedMax: Duration?

    /// - Parameter outcomes: of all orders, by whatever order.
    init(_ orders: [DemoOrder], _ outcomes: [DemoDatabase.Outcome]) {
        let byID = Dictionary(uniqueKeysWithValues: outcomes.map { ($0.id, $0) })
        var byEnd: [String: Line] = [:]
        var delays: [Duration] = []
        for order in orders {
            guard let outcome = byID[order.id] else {
                wrong.append("\(order.id): lost")
                continue
            }
            let isRight = outcome.status == order.expectedStatus && outcome.reviewReason == order.expectedReason
            // An order that the gateway has not decided about waits for its next check: being asked once is enough.
            if isRight, outcome.isResting || (outcome.isChecked && order.expectedStatus == "pending") {
                atTheirTruth += 1
            } else {
                isOver = false
                wrong.append(
                    "\(order.id) (\(order.scenario.summary)): \(outcome.status) \(outcome.reviewReason ?? "")")
            }
            if let delay = outcome.fixedAfter { delays.append(delay) }
            let key = "\(outcome.status) \(outcome.reviewReason ?? "")"
            var line = byEnd[key] ?? Line(status: outcome.status, reason: outcome.reviewReason, count: 0, summaries: [])
            line.count += 1
            if !line.summaries.contains(order.scenario.summary) { line.summaries.append(order.scenario.summary) }
            byEnd[key] = line
        }
        lines = byEnd.sorted { $0.key < $1.key }.map(\.value)
        delays.sort()
        fixed = delays.count
        fixedMedian = delays.isEmpty ? nil : delays[delays.count / 2]
        fixedMax = delays.last
    }

    /// For people: outcomes, what needs a human, how late, how fast.
    func rendered(counters: DemoDatabase.Counters, seconds: Double, usesColour: Bool) -> String {
        var table = TextTable([.init("status"), .init("reason"), .init("orders", .right), .init("what had happened")])
        for line in lines {
            let style: Style? = line.status == "review" ? .yellow : line.status == "paid" ? .green : nil
            for (index, summary) in line.summaries.enumerated() {
                let isFirst = index == 0
                table.add(
                    [isFirst ? line.status : "", isFirst ? line.reason : "", isFirst ? "\(line.count)" : "", summary],
                    style: style)
            }
        }
        let review = lines.filter { $0.status == "review" }.reduce(0) { $0 + $1.count }
        let total = lines.reduce(0) { $0 + $1.count }
        var text = "\n" + table.rendered(usesColour: usesColour) + "\n"
        text += "\(atTheirTruth) of \(total) orders are where their truth says, after \(Self.rounded(seconds)) s"
        text += " and \(counters.checks) checks (\(counters.failed) without a usable answer).\n"
        text += "\(fixed) were changed by Reconciled, the median \(Self.text(fixedMedian)) after it fell due"
        text += " and the last \(Self.text(fixedMax)) (its gateway was slow, failing or not paid yet).\n"
        text += "The first checks began \(Self.text(counters.latenessMedian)) late in the median and"
        text += " \(Self.text(counters.latenessP99)) at the 99th percentile; one order fell due every 5 ms.\n"
        text += "\(counters.overtaken) were settled by the application's webhook while we asked: not overwritten.\n"
        text += "\(review) need a human: `reconciled list orders --status review`.\n"
        if !wrong.isEmpty {
            text += "\nNot where their truth says:\n" + wrong.prefix(20).map { "  \($0)\n" }.joined()
        }
        return text
    }

    private static func text(_ duration: Duration?) -> String {
        guard let duration else { return "–" }
        let milliseconds = duration.inSeconds * 1_000
        return milliseconds < 1_000 ? "\(rounded(milliseconds)) ms" : "\(rounded(milliseconds / 1_000)) s"
    }

    private static func rounded(_ value: Double) -> String {
        let tenths = (value * 10).rounded() / 10
        return tenths == tenths.rounded() ? "\(Int(tenths))" : "\(tenths)"
    }
}
