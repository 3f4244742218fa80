import JSON
import PostgresStore
import Testing
import Timeline

@testable import Console

/// A row's story as people read it.
@Suite struct NarrativeTests {
    private static let now = Timestamp("2026-11-27T15:00:00Z")!
    private static let times = TimeWords(now: now)

    private static func fields(_ json: String) -> RowFields {
        RowFields(json: (try? JSONValue(parsing: json)) ?? .null)
    }

    private static func entry(
        _ at: String, before: String = "pending", after: String = "pending", verdict: String? = "recheck",
        actor: String? = nil, reason: String? = nil, answer: String = "null"
    ) -> RowFields {
        func quoted(_ text: String?) -> String { text.map { "\"\($0)\"" } ?? "null" }
        return fields(
            """
            {"at": "2026-11-27T\(at)Z", "watch": "orders", "row_id": "A-1", "lane": "stripe-eu", "verdict": \(quoted(verdict)),
             "actor": \(quoted(actor)), "status_before": "\(before)", "status_after": "\(after)",
             "reason": \(quoted(reason)), "answer": \(answer)}
            """)
    }

    private static func story(
        history: [RowFields], checks: [RowFields] = [], whole: Bool = true, words: any WatchWords = OrderWords()
    ) -> [String] {
        let row = fields(#"{"id": "A-1", "created_at": "2026-11-27T14:00:00Z"}"#)
        return Narrative(words: words, times: times)
            .entries(row: row, history: history, checks: checks, areChecksWhole: whole)
            .map { "\(times.text($0.at)) \($0.text) [\($0.tone)]" }
    }

    @Test func anOrderThatPaidIsToldAsOneSentence() {
        let open = #"{"state": "NOT_PAID_YET", "authenticated": true}"#
        let paid = #"{"state": "PAID", "authenticated": true, "paid_at": "2026-11-27T14:02:11Z"}"#
        let settled = Self.entry("14:03:00", after: "paid", verdict: "settled", reason: "PAID", answer: paid)
        let checks = ["14:00:05", "14:00:35", "14:01:35"].map { Self.entry($0, answer: open) } + [settled]
        #expect(
            Self.story(history: [settled], checks: checks) == [
                "14:00:00 Created [plain]",
                "14:00:05 stripe-eu: not paid yet (3 times, the last at 14:01:35) [plain]",
                "14:03:00 Paid at stripe-eu 14:02:11, found 14:03:00 on the 4th check, marked paid [good]",
            ])
        // Checks that are forgotten already are not counted.
        #expect(
            Self.story(history: [settled], checks: checks, whole: false).last
                == "14:03:00 Paid at stripe-eu 14:02:11, found 14:03:00, marked paid [good]")
    }

    /// What was answered after a decision is not told before it.
    @Test func aRunOfEqualAnswersEndsAtEachChange() {
        let open = #"{"state": "NOT_PAID_YET", "authenticated": true}"#
        let checks = ["14:01:00", "14:02:00", "14:05:00", "14:06:00", "14:07:00"].map { Self.entry($0, answer: open) }
        let closed = Self.entry("14:03:00", after: "closed", verdict: nil, actor: "ada", reason: "RESOLVED")
        let again = Self.entry(
            "14:04:00", before: "closed", after: "pending", verdict: nil, actor: "ada", reason: "RESOLVED")
        // Of the same instant as an answer: it comes first, as who asks comes before who answers.
        let nudged = Self.entry("14:07:00", verdict: nil, actor: "ada", reason: "NUDGED")
        #expect(
            Self.story(history: [closed, again, nudged], checks: checks) == [
                "14:00:00 Created [plain]",
                "14:01:00 stripe-eu: not paid yet (2 times, the last at 14:02:00) [plain]",
                "14:03:00 ada decided: closed [hand]",
                "14:04:00 ada decided: pending [hand]",
                "14:05:00 stripe-eu: not paid yet (2 times, the last at 14:06:00) [plain]",
                "14:07:00 ada asked for a check at once [hand]",
                "14:07:00 stripe-eu: not paid yet [plain]",
            ])
    }

    @Test func whoAddedItIsToldInThePlaceOfItsArrival() {
        let added = Self.entry("14:00:00", verdict: nil, actor: "ada", reason: "ADDED")
        #expect(Self.story(history: [added]) == ["14:00:00 ada added it [hand]"])
    }

    @Test(arguments: [
        (
            entry(
                "14:05:00", after: "review", verdict: "review", reason: "AMOUNT_MISMATCH",
                answer: #"{"state": "PAID"}"#),
            "stripe-eu: paid. Put before a human: The amounts differ. [hand]"
        ),
        (
            entry(
                "14:05:00", after: "closed", verdict: "settled", reason: "CLOSED",
                answer: #"{"state": "CLOSED", "authenticated": true}"#),
            "Closed at stripe-eu without a payment, found 14:05:00, marked closed [good]"
        ),
        (
            entry(
                "14:05:00", before: "cancelled", after: "cancelled", verdict: "overtaken",
                answer: #"{"state": "PAID"}"#),
            "stripe-eu: paid. Someone else had made it cancelled meanwhile: that stays as it is [plain]"
        ),
        // Its amount was another one meanwhile.
        (
            entry("14:05:00", verdict: "overtaken", answer: #"{"state": "PAID"}"#),
            "stripe-eu: paid. Someone had changed it meanwhile: it is asked about again [plain]"
        ),
        (
            entry(
                "14:05:00", before: "review", after: "paid", verdict: nil, actor: "ops", reason: "RESOLVED",
                answer: #"{"note": "seen on the statement", "txn": "ch_1"}"#),
            "ops decided: paid, transaction ch_1: “seen on the statement” [hand]"
        ),
        (entry("14:05:00", verdict: nil, actor: "ops", reason: "NUDGED"), "ops asked for a check at once [hand]"),
        (
            entry("14:05:00", after: "review", verdict: "review", reason: "BRAND_NEW", answer: "{}"),
            "stripe-eu: nothing that can be relied on. Put before a human: BRAND_NEW [hand]"
        ),
    ])
    func changesAreTold(entry: RowFields, expected: String) {
        #expect(Self.story(history: [entry]).last == "14:05:00 \(expected)")
    }

    @Test func aProblemIsToldAsTheGatewayGaveIt() {
        let down = #"{"failure": "status", "http_status": 503, "problem": "The gateway answered 503."}"#
        #expect(
            Self.story(history: [], checks: [Self.entry("14:01:00", verdict: "failed", answer: down)]).last
                == "14:01:00 stripe-eu gave no usable answer: The gateway answered 503 [bad]")
    }

    /// Timers' checks are not recorded: what their rows hold after failed calls is all that tells of them.
    @Test(arguments: [
        ("active", 12, "500", "failing: 12 calls in a row, last answer 500"),
        ("active", 1_000, "null", "failing: 1,000 calls in a row, no answer"),
        ("active", 1, "404", "the last call failed: answer 404"),
        ("finished", 3, "500", "the last call failed: answer 500"),
        ("active", 0, "200", nil), ("paused", 3, "500", nil), ("review", 3, "500", nil),
    ])
    func aTimerThatFailsSaysSo(status: String, failures: Int, answer: String, trouble: String?) {
        let row = Self.fields(
            """
            {"id": "t", "status": "\(status)", "failure_count": \(failures), "last_status_code": \(answer),
             "last_error": "It broke.", "created_at": "2026-11-27T14:00:00Z", "last_checked_at": "2026-11-27T14:30:00Z"}
            """)
        #expect(TimerWords().trouble(row) == trouble)
        func story(_ checks: [RowFields]) -> [Narrative.Entry] {
            Narrative(words: TimerWords(), times: Self.times)
                .entries(row: row, history: [], checks: checks, areChecksWhole: false)
        }
        let told: String? = trouble.map { $0.prefix(1).uppercased() + $0.dropFirst() + ". It broke." }
        #expect(story([]).dropFirst().map(\.text) == [told].compactMap(\.self))
        #expect(story([]).dropFirst().allSatisfy { $0.tone == .bad })
        // Where they are recorded, they tell it themselves.
        let failed = Self.entry("14:30:00", verdict: "failed", answer: #"{"status_code": 500}"#)
        #expect(story([failed]).dropFirst().map(\.text) == ["Called: answered 500"])
    }

    /// The figures that decide a case are before the person who decides it.
    @Test func evidenceHoldsEveryFigureOfTheCase() {
        let detail = Self.fields(
            """
            {"expected": {"amount_minor": 1999, "currency": "EUR", "merchant": "ours"},
             "answer": {"state": "REFUNDED", "amount_minor": 1500, "gateway_amount_minor": 1800, "refunded_minor": 700,
                        "currency": "EUR", "merchant": "theirs", "gateway_txn_id": "ch_1"}, "status_before": "pending"}
            """)
        let evidence = OrderWords().evidence(detail) { "\($0["amount_minor"] ?? "?") \($0["currency"] ?? "?")" }
        #expect(
            evidence.map { "\($0.name): \($0.text)" } == [
                "The order's amount: 1999 EUR", "The gateway asked for: 1800 EUR", "The gateway received: 1500 EUR",
                "Refunded at the gateway: 700 EUR", "The gateway says: refunded", "Our merchant: ours",
                "Merchant at the gateway: theirs", "Transaction: ch_1", "It was: pending",
            ])
    }

    /// A check changes nothing of what someone else put before a human.
    @Test(arguments: ["NO_REASON", "MANUAL"])
    func whatSomeonePutThereIsSetBackToBeChecked(code: String) {
        for watch in ["orders", "uploads", "timers", "deliveries"] {
            #expect(Words.of(watch).reason(code).advice.contains("set it back to"), "\(watch)")
        }
    }

    /// Whoever adds a reason adds its words.
    @Test(arguments: ["orders", "uploads", "timers", "deliveries"])
    func everyReasonHasWords(watch: String) {
        for (code, words) in Words.of(watch).reasons {
            #expect([words.title, words.meaning, words.advice].allSatisfy { $0.hasSuffix(".") }, "\(code)")
        }
        #expect(!Words.of(watch).columns.isEmpty && !Words.of(watch).facts.isEmpty)
    }

    @Test(arguments: [
        (Duration.milliseconds(8), "8 ms"), (.seconds(3), "3 s"), (.seconds(119), "119 s"), (.seconds(300), "5 min"),
        (.seconds(7_200), "2 h"), (.seconds(8_400), "2 h 20 min"), (.seconds(259_200), "3 d"), (.seconds(-1), "0 ms"),
    ])
    func durationsAreShort(duration: Duration, text: String) {
        #expect(TimeWords.duration(duration) == text)
    }

    @Test func timesAreAsFullAsTheyMustBe() {
        #expect(Self.times.text(Timestamp("2026-11-27T14:03:11.5Z")!) == "14:03:11")
        #expect(Self.times.text(Timestamp("2026-11-26T14:03:11Z")!) == "26 Nov 14:03:11")
        #expect(Self.times.text(Timestamp("2025-01-02T14:03:11Z")!) == "2 Jan 2025 14:03:11")
        #expect(Self.times.text(.distantFuture) == "never")
        #expect(Self.times.relative(Timestamp("2026-11-27T15:05:00Z")!) == "in 5 min")
        #expect(Self.times.relative(Timestamp("2026-11-27T14:59:57Z")!) == "3 s ago")
    }

    @Test(arguments: [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678"), (-1_234, "-1,234")])
    func countsAreGrouped(count: Int64, text: String) {
        #expect(CountWords.text(count) == text)
    }

    @Test func numbersAreCountedInEnglish() {
        let ordinals = [1, 2, 3, 4, 11, 12, 13, 21, 22, 101, 111].map { CountWords.ordinal($0) }
        #expect(ordinals == ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "101st", "111th"])
        #expect(CountWords.text(1, "delivery") == "1 delivery" && CountWords.text(2, "delivery") == "2 deliveries")
        #expect(CountWords.text(RowCount(10_000, .atLeast), "order") == "10,000+ orders")
        #expect(CountWords.text(RowCount(1, .atLeast), "order") == "1+ orders")
        #expect(CountWords.text(RowCount(2_000_000, .estimated)) == "~2,000,000")
    }
}
