import PostgresStore
import Timeline

/// The charts of the overview, from what all pollers noted in the last hour.
enum LastHour {
    static let span = Duration.seconds(3_600)
    static let step = Duration.seconds(30)
    static let stepCount = 120

    static func charts(_ steps: [Samples.Step]) -> [Chart] {
        var checks = [Double?](repeating: 0, count: stepCount)
        var failed = checks
        // What was not noted is not known: it is no zero.
        var due = [Double?](repeating: nil, count: stepCount)
        var typical = due
        var worst = typical
        for noted in steps {
            let index = stepCount - Int((noted.ago / step).rounded(.up))
            guard checks.indices.contains(index) else { continue }
            checks[index] = Double(noted.checks) / step.inSeconds
            failed[index] = Double(noted.failed) / step.inSeconds
            due[index] = Double(noted.due)
            typical[index] = LatenessHistogram.quantile(noted.lateness, 0.5)
            worst[index] = LatenessHistogram.quantile(noted.lateness, 0.99)
        }
        // Of the newest step pollers have not noted all yet.
        func line(_ name: String, _ values: [Double?]) -> Chart.Line { .init(name: name, values: values.dropLast()) }
        return [
            Chart(title: "Checks per second", lines: [line("all", checks), line("failed", failed)], text: rate),
            Chart(
                title: "Lateness", lines: [line("99 of 100 within", worst), line("half within", typical)], text: seconds
            ),
            Chart(title: "Backlog", lines: [line("due", due)], text: rate),
        ]
    }

    /// `0`, `0.5`, `12`, `9,600`.
    private static func rate(_ value: Double) -> String {
        value >= 10 || value == value.rounded()
            ? CountWords.text(Int64(value.rounded())) : String((value * 10).rounded() / 10)
    }

    private static func seconds(_ value: Double) -> String {
        guard value > 0 else { return "0" }
        if value < 0.1 { return "\(rate(value * 1_000)) ms" }
        if (1..<10).contains(value) { return "\(rate(value)) s" }
        return TimeWords.duration(.milliseconds(Int64((value * 1_000).rounded())))
    }
}
