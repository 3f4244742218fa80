import Glibc
import Timeline

/// Shows how the demo gets on: bars that are redrawn on a terminal, plain lines of what changed elsewhere.
struct DemoScreen {
    let isTerminal = Descriptor.isTerminal(STDOUT_FILENO)
    private var drawn = 0
    private var shownAt: Moment?
    private var states: [String: String] = [:]

    mutating func show(_ orders: DemoReport, total: Int, _ uploads: DemoUploadReport, seconds: Double, isLast: Bool) {
        let fraction = total == 0 ? 1 : Double(orders.atTheirTruth) / Double(total)
        let line =
            "\(DemoUploadReport.bar(fraction, width: 40)) \(orders.atTheirTruth) of \(total) orders, "
            + "\(uploads.atTheirTruth) of \(uploads.uploads.count) uploads right, \(Int(seconds)) s"
        if isTerminal {
            draw([line] + visible(uploads))
            return
        }
        for upload in uploads.uploads {
            // Without the numbers: a line for each status, not for each chunk.
            let outcome = uploads.outcomes[upload.id]
            let state = "\(outcome?.status ?? "") \(outcome?.reviewReason ?? "")"
            guard states.updateValue(state, forKey: upload.id) != state else { continue }
            write("\(upload.id) \(upload.name): \(uploads.state(upload))\n")
        }
        if isLast || shownAt.map({ Moment.now - $0 >= .seconds(2) }) ?? true {
            write(line + "\n")
            shownAt = .now
        }
    }

    /// Says something above the bars.
    mutating func say(_ text: String) {
        clear()
        write(text + "\n")
    }

    /// As many as the terminal has room for; those that are still under way first.
    private func visible(_ report: DemoUploadReport) -> [String] {
        let room = max(0, TerminalSize.current.rows - 2)
        guard report.uploads.count > room else { return report.uploads.map(report.line) }
        let sorted = report.uploads.filter { !report.isRight($0) } + report.uploads.filter(report.isRight)
        return sorted.prefix(room).map(report.line)
    }

    private mutating func draw(_ lines: [String]) {
        // Lines that are too long are cut, not wrapped: going up counts lines.
        var text = drawn > 0 ? "\u{1B}[\(drawn)A" : ""
        text += "\u{1B}[?7l" + lines.map { "\r\($0)\u{1B}[K\n" }.joined() + "\u{1B}[J\u{1B}[?7h"
        write(text)
        drawn = lines.count
    }

    private mutating func clear() {
        guard drawn > 0 else { return }
        write("\u{1B}[\(drawn)A\r\u{1B}[J")
        drawn = 0
    }

    private func write(_ text: String) { Descriptor.write(text, to: STDOUT_FILENO) }
}
