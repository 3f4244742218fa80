/// A value handed in by an application, the CLI or the API that is not allowed.
public struct InputError: Error, Hashable, CustomStringConvertible {
    /// The column's name.
    public var field: String
    public var problem: String
    public var allowed: String

    public init(_ field: String, problem: String, allowed: String) {
        self.field = field
        self.problem = problem
        self.allowed = allowed
    }

    public var description: String { "\(field) \(problem); allowed: \(allowed)" }
}
