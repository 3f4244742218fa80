/// So many in so long: `25/s`, `100/m`.
public struct Rate: Sendable, Hashable {
    /// Above zero.
    public var count: Int
    public var per: Duration

    public init(count: Int, per: Duration) {
        self.count = count
        self.per = per
    }

    /// Reads `25/s`, `100/m` or `1000/h`; nil for anything else.
    init?(text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let count = Int(decimal: String(parts[0])), (1...1_000_000).contains(count) else {
            return nil
        }
        switch parts[1] {
        case "s": self.init(count: count, per: .seconds(1))
        case "m": self.init(count: count, per: .seconds(60))
        case "h": self.init(count: count, per: .seconds(3_600))
        default: return nil
        }
    }

    static let allowed = "a rate such as 25/s, 100/m or 1000/h, with a count between 1 and 1000000"
}
