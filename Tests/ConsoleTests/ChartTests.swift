import Foundation
import PostgresStore
import TestSupport
import Testing
import Timeline

@testable import Console

@Suite struct ChartTests {
    @Test(arguments: [
        (0.0, 1.0), (1, 1), (1.1, 2), (3, 5), (7, 10), (10, 10), (101, 200), (0.004, 0.005), (.infinity, 1),
    ])
    func theTopIsARoundNumberThatIsNotBelow(value: Double, top: Double) {
        #expect(abs(Chart.ceiling(value) - top) < top * 1e-9)
    }

    @Test func gapsAreNotBridged() {
        let chart = Chart(
            title: "T", lines: [.init(name: "n", values: [1, nil, 3, 4])], text: { "\(Int($0))" })
        #expect(chart.latest == "n 4")
        // Two pieces, each with its own beginning.
        let line = chart.svg.split(separator: "<path").last.map(String.init) ?? ""
        #expect(line.filter { $0 == "M" }.count == 2, "\(line)")
        #expect(!chart.svg.contains("nan") && !chart.svg.contains("inf"))
    }

    /// A value between two gaps is seen, as a dot.
    @Test func whatStandsAloneIsSeen() {
        let chart = Chart(title: "T", lines: [.init(name: "n", values: [nil, 1, nil, nil, 1])], text: { "\($0)" })
        #expect(chart.svg.split(separator: "<circle").count == 3, "\(chart.svg)")
        let whole = Chart(title: "T", lines: [.init(name: "n", values: [1, 2, nil, 3, 4])], text: { "\($0)" })
        #expect(!whole.svg.contains("<circle"))
    }

    /// The middle of an axis is told as what it is.
    @Test func axesAreLabelledExactly() {
        let charts = LastHour.charts([
            Samples.Step(
                ago: .seconds(60), checks: 1, failed: 0, due: 1, lateness: [Int64](repeating: 0, count: 12) + [1])
        ])
        #expect(charts[1].text(2.5) == "2.5 s" && charts[1].text(5) == "5 s" && charts[1].text(0.02) == "20 ms")
        #expect(charts[2].text(0.5) == "0.5" && charts[2].text(12_000) == "12,000")
    }

    /// What a line shows stays within the picture, whatever the numbers.
    @Test func everyPointIsInside() {
        var random = SeededRandom(seed: TestSeed.value)
        for _ in 0..<200 {
            let values = (0..<120).map { _ in
                Bool.random(using: &random) ? nil : Optional(pow(10, Double.random(in: -9...9, using: &random)))
            }
            let svg = Chart(title: "T", lines: [.init(name: "n", values: values)], text: { "\($0)" }).svg
            for match in svg.matches(of: /[ML]([0-9.]+) ([0-9.]+)/) {
                let isInside = (0...360).contains(Double(match.1)!) && (0...120).contains(Double(match.2)!)
                #expect(isInside, "seed \(TestSeed.value)")
            }
        }
    }

    @Test func anHourIsFilledFromWhatWasNoted() throws {
        var lateness = [Int64](repeating: 0, count: LatenessHistogram.bounds.count + 1)
        lateness[0] = 99
        lateness[3] = 1
        let steps = [
            Samples.Step(ago: .seconds(3_600), checks: 30, failed: 0, due: 7, lateness: lateness),
            Samples.Step(ago: .seconds(60), checks: 300, failed: 60, due: 12_000, lateness: lateness),
        ]
        let charts = LastHour.charts(steps)
        #expect(charts.map(\.title) == ["Checks per second", "Lateness", "Backlog"])
        #expect(charts[0].lines[0].values.first == 1 && charts[0].lines[0].values.last == 10)
        #expect(charts[0].latest == "all 10 · failed 2")
        #expect(charts[2].latest == "due 12,000")
        // Between them nothing was noted: that is unknown, and not drawn as a backlog of none.
        #expect(charts[2].lines[0].values.compactMap(\.self) == [7, 12_000])
        #expect(charts[1].lines[0].values.compactMap(\.self).count == 2)
    }
}

@Suite struct LatenessHistogramTests {
    /// An estimate lies within the bounds that the exact value lies in.
    @Test func quantilesLieWithinTheirBounds() throws {
        var random = SeededRandom(seed: TestSeed.value)
        let bounds = LatenessHistogram.bounds
        for _ in 0..<300 {
            let values = (0..<Int.random(in: 1...400, using: &random))
                .map { _ in pow(10, Double.random(in: -4...3.5, using: &random)) }.sorted()
            var counts = [Int64](repeating: 0, count: bounds.count + 1)
            for value in values { counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1 }
            for share in [0.01, 0.5, 0.9, 0.99, 1] {
                let exact = values[max(0, Int((share * Double(values.count)).rounded(.up)) - 1)]
                let estimate = try #require(LatenessHistogram.quantile(counts, share))
                let index = bounds.firstIndex { exact <= $0 } ?? bounds.count
                let lower = index == 0 ? 0 : bounds[index - 1]
                let upper = index < bounds.count ? bounds[index] : bounds[bounds.count - 1]
                #expect((lower...upper).contains(estimate), "\(share) of \(values.count), seed \(TestSeed.value)")
            }
        }
    }

    @Test func nothingHasNoQuantile() {
        #expect(LatenessHistogram.quantile([], 0.5) == nil)
        #expect(LatenessHistogram.quantile([0, 0], 0.5) == nil)
    }
}
