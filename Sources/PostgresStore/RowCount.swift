/// How many rows there are, and how far that can be trusted: large tables are not counted whole.
public struct RowCount: Hashable, Sendable {
    public enum Precision: String, Sendable {
        case exact
        /// Counting ended there.
        case atLeast = "at_least"
        /// The planner's, from a sample.
        case estimated
    }

    public var count: Int64
    public var precision: Precision

    public init(_ count: Int64, _ precision: Precision = .exact) {
        self.count = count
        self.precision = precision
    }

    /// - Parameter counted: to one more than `bound` at most.
    init(_ counted: Int64, bound: Int32) {
        self.init(min(counted, Int64(bound)), counted > Int64(bound) ? .atLeast : .exact)
    }

    /// Of parts that were each counted to a bound: exact until one of them reaches it.
    public static func + (left: RowCount, right: RowCount) -> RowCount {
        RowCount(left.count + right.count, left.precision == .exact ? right.precision : left.precision)
    }
}
