import CoreMetrics

/// What libraries record through swift-metrics stands beside our own metrics; durations are seconds.
extension MetricsRegistry: MetricsFactory {
    private static let help = "Recorded by a library."

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        LibraryCounter(cell: counter(label, help: Self.help, labels: dimensions), label: label, dimensions: dimensions)
    }

    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        LibraryCounter(cell: counter(label, help: Self.help, labels: dimensions), label: label, dimensions: dimensions)
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        LibraryGauge(cell: gauge(label, help: Self.help, labels: dimensions), label: label, dimensions: dimensions)
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        guard aggregate else {
            return LibraryGauge(
                cell: gauge(label, help: Self.help, labels: dimensions), label: label, dimensions: dimensions)
        }
        let bounds = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000.0]
        return LibraryDistribution(
            cell: histogram(label, help: Self.help, bounds: bounds, labels: dimensions), label: label,
            dimensions: dimensions)
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        LibraryTimer(
            cell: histogram(label, help: Self.help, bounds: EngineMetrics.secondsBounds, labels: dimensions),
            label: label,
            dimensions: dimensions)
    }

    public func destroyCounter(_ handler: any CounterHandler) { destroy(handler) }
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { destroy(handler) }
    public func destroyMeter(_ handler: any MeterHandler) { destroy(handler) }
    public func destroyRecorder(_ handler: any RecorderHandler) { destroy(handler) }
    public func destroyTimer(_ handler: any TimerHandler) { destroy(handler) }

    private func destroy(_ handler: any AnyObject) {
        if let handler = handler as? any LibrarySeries { remove(handler.label, labels: handler.dimensions) }
    }
}
