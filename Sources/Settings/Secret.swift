/// A value that is never printed or logged by accident.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var value: String

    public init(_ value: String) {
        self.value = value
    }

    public var description: String { "<secret>" }
    public var debugDescription: String { "<secret>" }
    // `dump` and string interpolation of a type that holds a secret go through its mirror.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
