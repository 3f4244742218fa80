import Testing
import Timeline

@Suite struct TimestampTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("2000-02-29T12:00:00Z", 951_825_600_000_000),
        ("2026-11-23T14:02:11.250Z", 1_795_442_531_250_000),
        ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
    ])
    func readsAndWritesRFC3339(text: String, microseconds: Int64) {
        #expect(Timestamp(text) == Timestamp(microseconds: microseconds))
        #expect(Timestamp(microseconds: microseconds).description == text)
    }

    @Test func readsOffsets() {
        #expect(Timestamp("2026-11-23T22:02:11.25+08:00") == Timestamp("2026-11-23T14:02:11.250Z"))
        #expect(Timestamp("2026-11-23T09:32:11-04:30") == Timestamp("2026-11-23T14:02:11Z"))
    }

    @Test(arguments: [
        "", "2026", "2026-11-23", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-23T24:00:00Z",
        "2026-11-23T14:02:11", "2026-11-23T14:02:11.Z", "2026-11-23T14:02:11.1234567890Z", "2026-11-23T14:02:11Zx",
        "２026-11-23T14:02:11Z",
    ])
    func refusesAnythingElse(text: String) {
        #expect(Timestamp(text) == nil)
    }

    /// To the microsecond that PostgreSQL makes of the same text.
    @Test(arguments: [
        ("2026-11-23T14:02:11.123456499Z", "2026-11-23T14:02:11.123456Z"),
        ("2026-11-23T14:02:11.1234567Z", "2026-11-23T14:02:11.123457Z"),
        ("2026-11-23T14:02:11.1234565Z", "2026-11-23T14:02:11.123456Z"),
        ("2026-11-23T14:02:11.00000150Z", "2026-11-23T14:02:11.000002Z"),
        ("2026-11-23T22:02:11.250000000+08:00", "2026-11-23T14:02:11.250Z"),
        ("2026-12-31T23:59:59.9999995Z", "2027-01-01T00:00:00Z"),
        ("1969-12-31T23:59:59.999999999Z", "1970-01-01T00:00:00Z"),
    ])
    func roundsToTheMicrosecond(text: String, rounded: String) {
        #expect(Timestamp(text)?.description == rounded)
    }

    @Test func survivesARoundTrip() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<10_000 {
            let timestamp = Timestamp(
                microseconds: .random(in: -62_135_596_800_000_000...253_402_300_799_999_999, using: &random))
            #expect(Timestamp(timestamp.description) == timestamp)
        }
    }

    @Test func momentsSaturateWhateverIsAdded() {
        let now = Moment(nanoseconds: 1_000)
        for long in [Duration.nanoseconds(Int64.max), .seconds(Int64.max), .seconds(Int64.max) * 4] {
            #expect(now + long == .distantFuture)
            #expect(now - long < Moment(nanoseconds: -1_000_000_000_000))
            #expect(long.wholeMicroseconds >= Int64.max / 1_000)
            #expect((.zero - long).wholeMicroseconds <= Int64.min / 1_000)
        }
    }

    @Test func arithmeticSaturates() {
        #expect(Timestamp.distantFuture + .seconds(1) == .distantFuture)
        #expect(Timestamp.distantPast - .seconds(1) == .distantPast)
        #expect(Timestamp(microseconds: .max - 1) + .seconds(1) == .distantFuture)
        #expect(Timestamp(microseconds: 2_500_000) - Timestamp(microseconds: 500_000) == .seconds(2))
    }
}

@Suite struct DurationTextTests {
    @Test(arguments: [
        ("250ms", 250_000), ("3s", 3_000_000), ("1m30s", 90_000_000), ("24h", 86_400_000_000),
        ("7d", 604_800_000_000), ("0", 0), ("0s", 0), ("1d2h3m4s5ms6us", 93_784_005_006),
    ])
    func reads(text: String, microseconds: Int64) {
        #expect(Duration(text: text) == .microseconds(microseconds))
    }

    @Test(arguments: ["", "3", "s", "3 s", "-3s", "1.5s", "30s1m", "1s1s", "10 parsecs", "99999999999999999999s", "٣s"])
    func refuses(text: String) {
        #expect(Duration(text: text) == nil)
    }

    @Test func writesWhatItReads() {
        #expect(Duration.seconds(90).text == "1m30s")
        #expect(Duration.zero.text == "0s")
        #expect(Duration.milliseconds(-250).text == "-250ms")
        var random = SystemRandomNumberGenerator()
        for _ in 0..<1_000 {
            let duration = Duration.microseconds(Int64.random(in: 0...10_000_000_000_000, using: &random))
            #expect(Duration(text: duration.text) == duration)
        }
    }
}
