/// Chunk numbers in compact form: `3,7-9`; empty for none.
public struct ChunkRanges: Hashable, Sendable, CustomStringConvertible {
    public private(set) var ranges: [ClosedRange<Int>] = []

    public init() {}

    /// - Parameter numbers: ascending.
    public init(_ numbers: some Sequence<Int>) {
        for number in numbers { append(number) }
    }

    public var isEmpty: Bool { ranges.isEmpty }

    public var count: Int { ranges.reduce(0) { $0 + $1.count } }

    /// Adds a number that is not below the last one.
    public mutating func append(_ number: Int) {
        if let last = ranges.last, number <= last.upperBound + 1 {
            ranges[ranges.count - 1] = last.lowerBound...max(last.upperBound, number)
        } else {
            ranges.append(number...number)
        }
    }

    public var description: String {
        ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
    }
}
