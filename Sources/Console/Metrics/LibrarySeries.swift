import CoreMetrics

/// A cell under the name and labels that a library asked for, so that it can be destroyed by them.
protocol LibrarySeries: AnyObject, Sendable {
    var label: String { get }
    var dimensions: [(String, String)] { get }
}

final class LibraryCounter: LibrarySeries, CounterHandler, FloatingPointCounterHandler {
    let cell: CounterCell
    let label: String
    let dimensions: [(String, String)]

    init(cell: CounterCell, label: String, dimensions: [(String, String)]) {
        self.cell = cell
        self.label = label
        self.dimensions = dimensions
    }

    func increment(by amount: Int64) { cell.increment(by: Double(amount)) }
    func increment(by amount: Double) { cell.increment(by: amount) }
    func reset() { cell.reset() }
}

final class LibraryGauge: LibrarySeries, MeterHandler, RecorderHandler {
    let cell: GaugeCell
    let label: String
    let dimensions: [(String, String)]

    init(cell: GaugeCell, label: String, dimensions: [(String, String)]) {
        self.cell = cell
        self.label = label
        self.dimensions = dimensions
    }

    func set(_ value: Int64) { cell.set(Double(value)) }
    func set(_ value: Double) { cell.set(value) }
    func increment(by amount: Double) { cell.add(amount) }
    func decrement(by amount: Double) { cell.add(-amount) }
    func record(_ value: Int64) { cell.set(Double(value)) }
    func record(_ value: Double) { cell.set(value) }
}

final class LibraryDistribution: LibrarySeries, RecorderHandler {
    let cell: HistogramCell
    let label: String
    let dimensions: [(String, String)]

    init(cell: HistogramCell, label: String, dimensions: [(String, String)]) {
        self.cell = cell
        self.label = label
        self.dimensions = dimensions
    }

    func record(_ value: Int64) { cell.observe(Double(value)) }
    func record(_ value: Double) { cell.observe(value) }
}

final class LibraryTimer: LibrarySeries, TimerHandler {
    let cell: HistogramCell
    let label: String
    let dimensions: [(String, String)]

    init(cell: HistogramCell, label: String, dimensions: [(String, String)]) {
        self.cell = cell
        self.label = label
        self.dimensions = dimensions
    }

    func recordNanoseconds(_ duration: Int64) { cell.observe(Double(duration) / 1e9) }
}
