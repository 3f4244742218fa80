import Timeline

/// What the engine needs to know of a lane.
public struct LaneConfiguration: Hashable, Sendable {
    public var name: String
    /// Checks in flight at most; nil leaves it to the watch's.
    public var concurrency: Int?
    /// A check's deadline.
    public var timeout: Duration
    /// The steps of the cadence; the last repeats.
    public var cadence: [Duration]

    public init(
        name: String, concurrency: Int? = nil, timeout: Duration = .seconds(10),
        cadence: [Duration] = Self.defaultCadence
    ) {
        self.name = name
        self.concurrency = concurrency
        self.timeout = timeout
        self.cadence = cadence
    }

    public static let defaultCadence: [Duration] = [
        .seconds(5), .seconds(30), .seconds(60), .seconds(180), .seconds(300), .seconds(600), .seconds(1_800),
    ]
}
