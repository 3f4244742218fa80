import Synchronization

/// One series of a counter; goes up only.
public final class CounterCell: Sendable {
    private let total = Mutex<Double>(0)

    init() {}

    /// Negative amounts are ignored: a counter that falls reads as a restart.
    public func increment(by amount: Double = 1) {
        guard amount > 0 else { return }
        total.withLock { $0 += amount }
    }

    public func reset() { total.withLock { $0 = 0 } }

    public var value: Double { total.withLock { $0 } }
}

/// One series of a gauge.
public final class GaugeCell: Sendable {
    private let current = Mutex<Double>(0)

    init() {}

    public func set(_ value: Double) { current.withLock { $0 = value } }

    public func add(_ amount: Double) { current.withLock { $0 += amount } }

    public var value: Double { current.withLock { $0 } }
}

/// One series of a histogram with fixed buckets.
public final class HistogramCell: Sendable {
    struct Counts: Sendable {
        /// One for each bound, then those above all of them; not cumulated.
        var buckets: [Int64]
        var sum = 0.0
    }

    let bounds: [Double]
    private let counts: Mutex<Counts>

    init(bounds: [Double]) {
        self.bounds = bounds
        counts = Mutex(Counts(buckets: Array(repeating: 0, count: bounds.count + 1)))
    }

    /// A value that is no number is ignored: one of them would spoil the sum for good.
    public func observe(_ value: Double) {
        guard !value.isNaN else { return }
        let index = bounds.firstIndex { value <= $0 } ?? bounds.count
        counts.withLock {
            $0.buckets[index] += 1
            $0.sum += value
        }
    }

    var snapshot: Counts { counts.withLock { $0 } }
}
