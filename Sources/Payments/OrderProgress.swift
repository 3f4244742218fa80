import JSON
import Timeline

/// What the order rules carry from one check to the next, in the column `progress`.
public struct OrderProgress: Hashable, Sendable {
    /// Equal answers in a row: how many, and when the question behind the first was asked.
    public struct Tally: Hashable, Sendable {
        public var count: Int
        public var since: Timestamp

        public init(count: Int, since: Timestamp) {
            self.count = count
            self.since = since
        }
    }

    /// NOT_FOUND, authenticated, past the time until which the order may still appear.
    public var notFound: Tally?
    /// A paid order that the gateway says was not paid.
    public var absent: Tally?
    /// A close was started at the gateway under this idempotency key, and its outcome is not known.
    public var closeKey: String?
    /// The order was put to rest by the cut-off, which happens once: whoever makes it due again wants it asked about.
    public var isCutOff: Bool

    public init(notFound: Tally? = nil, absent: Tally? = nil, closeKey: String? = nil, isCutOff: Bool = false) {
        self.notFound = notFound
        self.absent = absent
        self.closeKey = closeKey
        self.isCutOff = isCutOff
    }

    /// Reads the column. What cannot be read counts as nothing: a tally then starts anew, which only takes longer.
    public init(json: String?) {
        self.init()
        guard let json, let document = try? JSONValue(parsing: json) else { return }
        notFound = Self.tally(document["not_found"])
        absent = Self.tally(document["absent"])
        closeKey = document["close_key"]?.string
        isCutOff = document["cut_off"]?.bool ?? false
    }

    /// The column's new value; nil if there is nothing to carry.
    public var json: String? {
        guard self != OrderProgress() else { return nil }
        var object = JSONObjectText()
        if let notFound { object.add("not_found", object: Self.object(notFound)) }
        if let absent { object.add("absent", object: Self.object(absent)) }
        object.add("close_key", closeKey)
        if isCutOff { object.add("cut_off", true) }
        return object.text
    }

    private static func tally(_ value: JSONValue?) -> Tally? {
        guard let count = value?["count"]?.integer, (1...1_000).contains(count),
            let since = value?["since"]?.string.flatMap({ Timestamp($0) })
        else { return nil }
        return Tally(count: Int(count), since: since)
    }

    private static func object(_ tally: Tally) -> JSONObjectText {
        var object = JSONObjectText()
        object.add("count", Int64(tally.count))
        object.add("since", tally.since.description)
        return object
    }
}
