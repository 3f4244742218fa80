import Timeline

/// How a watch's rows are told to people.
protocol WatchWords: Sendable {
    /// What the row is about in a few words, beside its id: `19.99 EUR at stripe-eu`.
    func summary(_ row: RowFields, _ times: TimeWords) -> String?
    /// The columns of its list after the id.
    var columns: [ListColumn] { get }
    /// The row's columns that are worth telling, with their names in words.
    var facts: [(column: String, name: String)] { get }
    /// One answer of the outside world: `stripe-eu: not paid yet`.
    func answer(_ entry: RowFields, _ times: TimeWords) -> String
    /// A change that a check made, when this entry of the history was written; nil to be told by its statuses alone.
    func change(_ entry: RowFields, ordinal: Int64?, _ times: TimeWords) -> String?
    /// What a reason for review means, and what to do about it.
    var reasons: [String: ReasonWords] { get }
    /// The statuses in which a row waits for its next check.
    var openStatuses: Set<String> { get }
    /// The statuses in which a row is where it should be.
    var goodStatuses: Set<String> { get }
    /// What is wrong with a row whose status does not say so: `failing: 12 calls in a row, last answer 500`; nil for nothing.
    func trouble(_ row: RowFields) -> String?
    /// What of `review_detail` a person decides by, with names in words.
    ///
    /// - Parameter amount: an object's `amount_minor` with its currency, as people read it.
    func evidence(_ detail: RowFields, amount: (RowFields) -> String?) -> [(name: String, text: String)]
    /// How far a row is, in percent; nil for what knows no progress.
    func progress(_ row: RowFields) -> (percent: Int, text: String)?
}

extension WatchWords {
    func progress(_ row: RowFields) -> (percent: Int, text: String)? { nil }

    func trouble(_ row: RowFields) -> String? { nil }

    func evidence(_ detail: RowFields, amount: (RowFields) -> String?) -> [(name: String, text: String)] {
        guard case .object(let members) = detail.json else { return [] }
        return members.filter { $0.name != "status_before" }.flatMap { member -> [(name: String, text: String)] in
            // What holds more is told by what it holds.
            if case .object(let inner) = member.value {
                let fields = RowFields(json: member.value)
                return inner.compactMap { Self.line($0.name, of: fields) }
            }
            return [Self.line(member.name, of: detail)].compactMap(\.self)
        }.prefix(12).map(\.self)
    }

    private static func line(_ name: String, of fields: RowFields) -> (name: String, text: String)? {
        fields[name].map { (name.replacing("_", with: " "), String($0.prefix(300))) }
    }

    func change(_ entry: RowFields, ordinal: Int64?, _ times: TimeWords) -> String? { nil }

    func reason(_ code: String) -> ReasonWords {
        if let known = reasons[code] ?? Self.common[code] { return known }
        return ReasonWords(code, "is not a reason that this version knows.", "Look at what is stored, and decide.")
    }

    private static var common: [String: ReasonWords] {
        [
            "POISON": ReasonWords(
                "Its checks kill pollers.",
                "Six checks of this row ended without a result, so it is not checked any more.",
                "Look into the pollers' logs for this id, then check it again."),
            "NO_REASON": ReasonWords(
                "No reason was given.", "The application, or someone by SQL, put it here without a word on why.",
                "Ask who did, then decide: set it back to pending (receiving, active) to have it checked."),
            "MANUAL": ReasonWords(
                "Someone put it here.", "The note says why.",
                "Decide: set it back to pending (receiving, active) to have it checked."),
        ]
    }
}

/// A reason for review in words.
struct ReasonWords: Sendable {
    var title: String
    var meaning: String
    var advice: String

    init(_ title: String, _ meaning: String, _ advice: String) {
        self.title = title
        self.meaning = meaning
        self.advice = advice
    }
}

/// A column of a list.
struct ListColumn: Sendable {
    enum Content: Sendable {
        case text(String)
        case time(String)
        /// With what is wrong although the status does not say so.
        case status
        /// `ConsoleWatch.note` on the column, else the column.
        case note(String)
        case progress
        /// Why it waits: the reason for review, else the last error.
        case why
    }

    var name: String
    var content: Content
    var isNumber = false
    /// Whether it may take several lines.
    var isLong = false

    init(_ name: String, _ content: Content, isNumber: Bool = false, isLong: Bool = false) {
        self.name = name
        self.content = content
        self.isNumber = isNumber
        self.isLong = isLong
    }

    static let status = ListColumn("Status", .status)
    static let nextCheck = ListColumn("Next check", .time("next_check_at"))
    static let why = ListColumn("Why", .why, isLong: true)
}

/// Words for each watch; one that has none of its own is told by its columns.
enum Words {
    static func of(_ watch: String) -> any WatchWords {
        switch watch {
        case "orders": OrderWords()
        case "uploads": UploadWords()
        case "timers": TimerWords()
        case "deliveries": DeliveryWords()
        default: PlainWords()
        }
    }
}

/// A watch without words of its own.
struct PlainWords: WatchWords {
    let columns: [ListColumn] = [.status, .nextCheck, .why]
    let facts: [(column: String, name: String)] = [
        ("next_check_at", "Next check"), ("last_checked_at", "Last check"), ("last_error", "Last error"),
        ("created_at", "Created"),
    ]
    let reasons: [String: ReasonWords] = [:]
    let openStatuses: Set<String> = []
    let goodStatuses: Set<String> = []

    func summary(_ row: RowFields, _ times: TimeWords) -> String? { nil }
    func answer(_ entry: RowFields, _ times: TimeWords) -> String { "\(entry["lane"] ?? "It") answered" }
}
