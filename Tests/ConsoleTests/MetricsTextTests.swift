import Console
import CoreMetrics
import Reconciling
import Testing
import Timeline

@Suite struct MetricsTextTests {
    @Test func textIsWhatPrometheusReads() {
        let registry = MetricsRegistry()
        registry.counter("b_total", help: "Things\\done\nso far.", labels: [("lane", "a\"b\\c\nd"), ("act", "x")])
            .increment(by: 2)
        registry.counter("b_total", help: "ignored", labels: [("act", "x"), ("lane", "z")]).increment(by: 0.5)
        registry.gauge("a.gauge-1", help: "A gauge.").set(-3)
        let histogram = registry.histogram("c_seconds", help: "Time.", bounds: [0.5, 1], labels: [("lane", "l")])
        for value in [0.5, 0.7, 5, .nan] { histogram.observe(value) }
        #expect(
            registry.text() == """
                # HELP a_gauge_1 A gauge.
                # TYPE a_gauge_1 gauge
                a_gauge_1 -3
                # HELP b_total Things\\\\done\\nso far.
                # TYPE b_total counter
                b_total{act="x",lane="a\\"b\\\\c\\nd"} 2
                b_total{act="x",lane="z"} 0.5
                # HELP c_seconds Time.
                # TYPE c_seconds histogram
                c_seconds_bucket{lane="l",le="0.5"} 1
                c_seconds_bucket{lane="l",le="1"} 2
                c_seconds_bucket{lane="l",le="+Inf"} 3
                c_seconds_sum{lane="l"} 6.2
                c_seconds_count{lane="l"} 3
                # HELP reconciled_metric_series_dropped_total Series that were not kept because their metric had too many.
                # TYPE reconciled_metric_series_dropped_total counter
                reconciled_metric_series_dropped_total 0

                """)
    }

    @Test func specialNumbersHaveTheirSpelling() {
        let registry = MetricsRegistry()
        for (name, value) in [("a", Double.infinity), ("b", -.infinity), ("c", .nan), ("d", 1e20), ("e", 0.1)] {
            registry.gauge(name, help: "").set(value)
        }
        let lines = registry.text().split(separator: "\n").filter { !$0.hasPrefix("#") && !$0.hasPrefix("reconciled") }
        #expect(lines == ["a +Inf", "b -Inf", "c NaN", "d 1e+20", "e 0.1"])
    }

    @Test func seriesAreBounded() {
        let registry = MetricsRegistry()
        for index in 0..<(MetricsRegistry.seriesMax + 7) {
            registry.counter("many_total", help: "", labels: [("x", "\(index)")]).increment()
        }
        let text = registry.text()
        #expect(text.split(separator: "\n").filter { $0.hasPrefix("many_total") }.count == MetricsRegistry.seriesMax)
        #expect(text.contains("reconciled_metric_series_dropped_total 7\n"))
    }

    @Test func aNameOfAnotherKindIsNotWrittenTwice() {
        let registry = MetricsRegistry()
        registry.gauge("x", help: "").set(4)
        registry.counter("x", help: "").increment()
        #expect(registry.text().contains("# TYPE x gauge\nx 4\n"))
        #expect(!registry.text().contains("# TYPE x counter"))
    }

    @Test func replacedGaugesForgetWhatIsGone() {
        let registry = MetricsRegistry()
        RowGauges(
            due: [.init(watch: "orders", lane: "a", count: 3)],
            review: [.init(watch: "orders", reason: "AMOUNT_MISMATCH", count: 2)],
            lanes: [("a", true), ("b", false)]
        ).write(to: registry)
        #expect(registry.text().contains("reconciled_due_rows{lane=\"a\",watch=\"orders\"} 3\n"))
        #expect(registry.text().contains("counted to 10,000 a lane."))
        #expect(registry.text().contains("reconciled_review_rows{reason=\"AMOUNT_MISMATCH\",watch=\"orders\"} 2\n"))
        #expect(registry.text().contains("reconciled_lane_paused{lane=\"a\"} 1\n"))
        RowGauges(due: [], review: [], lanes: [("b", true)]).write(to: registry)
        #expect(!registry.text().contains("reconciled_due_rows"))
        #expect(!registry.text().contains("lane=\"a\""))
        #expect(registry.text().contains("reconciled_lane_paused{lane=\"b\"} 1\n"))
    }

    @Test func librariesRecordThroughTheFactory() {
        let registry = MetricsRegistry()
        let counter = Counter(label: "http.requests", dimensions: [("path", "/")], factory: registry)
        counter.increment(by: 3)
        Timer(label: "took", dimensions: [], factory: registry).recordNanoseconds(2_000_000)
        Gauge(label: "pool", dimensions: [], factory: registry).record(7)
        #expect(registry.text().contains("http_requests{path=\"/\"} 3\n"))
        #expect(registry.text().contains("took_bucket{le=\"0.002\"} 1\n"))
        #expect(registry.text().contains("pool 7\n"))
        counter.destroy()
        #expect(!registry.text().contains("http_requests"))
    }

    @Test func theEngineIsObserved() {
        let registry = MetricsRegistry()
        let metrics = EngineMetrics(registry: registry)
        metrics.announce(watch: "orders", lanes: ["acme"])
        #expect(
            registry.text().contains("reconciled_checks_total{lane=\"acme\",verdict=\"settled\",watch=\"orders\"} 0\n"))
        metrics.checkStarted(watch: "orders", lane: "acme", lateness: .milliseconds(3))
        metrics.checkStarted(watch: "orders", lane: "acme", lateness: .milliseconds(-3))
        metrics.checkSettled(watch: "orders", lane: "acme", verdict: .settled, duration: .milliseconds(40))
        metrics.checkSettled(watch: "orders", lane: "acme", verdict: .overtaken, duration: .milliseconds(40))
        metrics.laneChanged(watch: "orders", lane: "acme", pause: LanePause(by: nil, reason: "401"))
        metrics.inFlight(watch: "orders", count: 5)
        metrics.roundFinished(watch: "orders", claimed: 4, settled: 2, duration: .milliseconds(1))
        let text = registry.text()
        for line in [
            "reconciled_lateness_seconds_bucket{lane=\"acme\",watch=\"orders\",le=\"0.001\"} 1",
            "reconciled_lateness_seconds_bucket{lane=\"acme\",watch=\"orders\",le=\"0.005\"} 2",
            "reconciled_checks_total{lane=\"acme\",verdict=\"settled\",watch=\"orders\"} 1",
            "reconciled_overtaken_total{lane=\"acme\",watch=\"orders\"} 1",
            "reconciled_lane_paused{lane=\"acme\"} 1",
            "reconciled_checks_in_flight{watch=\"orders\"} 5",
            "reconciled_claimed_rows_total{watch=\"orders\"} 4",
            "reconciled_settled_rows_total{watch=\"orders\"} 2",
        ] { #expect(text.contains(line + "\n"), "\(line) is missing") }
    }

    /// After a reload one finishes what is under check while the other begins.
    @Test func twoPollersOfAWatchAddUp() {
        let registry = MetricsRegistry()
        let (old, new) = (EngineMetrics(registry: registry), EngineMetrics(registry: registry))
        old.inFlight(watch: "orders", count: 5)
        new.inFlight(watch: "orders", count: 2)
        old.inFlight(watch: "orders", count: 1)
        #expect(registry.text().contains("reconciled_checks_in_flight{watch=\"orders\"} 3\n"))
        for metrics in [old, new] {
            metrics.announce(watch: "orders", lanes: ["acme"])
            metrics.checkSettled(watch: "orders", lane: "acme", verdict: .settled, duration: .zero)
        }
        #expect(
            registry.text().contains("reconciled_checks_total{lane=\"acme\",verdict=\"settled\",watch=\"orders\"} 2\n"))
    }
}
