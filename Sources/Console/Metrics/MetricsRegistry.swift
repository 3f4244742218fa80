import Synchronization

/// Every metric of the process, written out in the Prometheus text format 0.0.4.
///
/// Families and series are bounded: a label that takes too many values (an attacker's, a programmer's mistake) costs series
/// beyond `seriesMax` of its family, not the process. What is beyond is counted in `reconciled_metric_series_dropped_total`.
public final class MetricsRegistry: Sendable {
    public static let seriesMax = 1_000
    public static let familiesMax = 500

    struct Family: Sendable {
        var kind: Kind
        var help: String
        var series: [[Label]: Cell] = [:]
    }

    enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    enum Cell: Sendable {
        case counter(CounterCell)
        case gauge(GaugeCell)
        case histogram(HistogramCell)
    }

    struct Label: Hashable, Sendable {
        var name: String
        var value: String
    }

    private let families = Mutex<[String: Family]>([:])
    private let dropped: CounterCell

    public init() {
        dropped = CounterCell()
        families.withLock {
            $0["reconciled_metric_series_dropped_total"] = Family(
                kind: .counter, help: "Series that were not kept because their metric had too many.",
                series: [[]: .counter(dropped)])
        }
    }

    /// The counter's series with these labels, made if it is new; the order of the labels does not matter.
    ///
    /// A name that is taken by another kind of metric gives a series that is not written out.
    public func counter(_ name: String, help: String, labels: [(String, String)] = []) -> CounterCell {
        let cell = cell(name, .counter, help, labels) { .counter(CounterCell()) }
        if case .counter(let counter) = cell { return counter }
        return CounterCell()
    }

    public func gauge(_ name: String, help: String, labels: [(String, String)] = []) -> GaugeCell {
        let cell = cell(name, .gauge, help, labels) { .gauge(GaugeCell()) }
        if case .gauge(let gauge) = cell { return gauge }
        return GaugeCell()
    }

    /// - Parameter bounds: upper bounds, rising; `+Inf` is added.
    public func histogram(
        _ name: String, help: String, bounds: [Double], labels: [(String, String)] = []
    ) -> HistogramCell {
        let cell = cell(name, .histogram, help, labels) { .histogram(HistogramCell(bounds: bounds)) }
        if case .histogram(let histogram) = cell { return histogram }
        return HistogramCell(bounds: bounds)
    }

    /// Makes a gauge have exactly these series: what is no longer counted must not stand there for ever.
    public func replaceGauges(_ name: String, help: String, _ series: [(labels: [(String, String)], value: Double)]) {
        families.withLock { families in
            guard families[name]?.kind ?? .gauge == .gauge else { return }
            families[Self.metricName(name)] = Family(kind: .gauge, help: help)
        }
        for entry in series { gauge(name, help: help, labels: entry.labels).set(entry.value) }
    }

    func remove(_ name: String, labels: [(String, String)]) {
        families.withLock { _ = $0[Self.metricName(name)]?.series.removeValue(forKey: Self.sorted(labels)) }
    }

    private func cell(
        _ name: String, _ kind: Kind, _ help: String, _ labels: [(String, String)], make: () -> Cell
    ) -> Cell? {
        let name = Self.metricName(name)
        let labels = Self.sorted(labels)
        return families.withLock { families in
            if let found = families[name]?.series[labels] { return found }
            var family = families[name] ?? Family(kind: kind, help: help)
            guard family.kind == kind, family.series.count < Self.seriesMax,
                families[name] != nil || families.count < Self.familiesMax
            else {
                dropped.increment()
                return nil
            }
            let cell = make()
            family.series[labels] = cell
            families[name] = family
            return cell
        }
    }

    private static func sorted(_ labels: [(String, String)]) -> [Label] {
        switch labels.count {
        case 0: []
        case 1: [Label(name: labelName(labels[0].0), value: labels[0].1)]
        default: labels.map { Label(name: labelName($0.0), value: $0.1) }.sorted { $0.name < $1.name }
        }
    }

    var snapshot: [String: Family] { families.withLock { $0 } }
}
